# Variables of data outside the stream.

variable "replica" {
  description = "The output of the module `replica`, called with a provider of a second region: buckets, keys and vault of the copies. null: no copies."
  type        = object({ region = string, buckets = map(string), key_arns = map(string), vault = string })
  default     = null

  validation {
    condition     = try(var.replica.region != var.region, true)
    error_message = "replica must be in another region than the stack."
  }
}

variable "archive_copy" {
  description = "The copy of a lost region's archive, which the operator may read to restore the events: its bucket and KMS key. null: none."
  type        = object({ bucket = string, key_arn = string })
  default     = null
}

variable "producers" {
  description = <<-TEXT
    Tasks that send the lines of files to tickets.raw. `sources` are s3://bucket/prefix or s3://bucket/pattern of your
    buckets, `source_key_arn` the KMS key of their objects, `settings` further settings (TICKETS_PRODUCER__MAP). null: none.
  TEXT
  type = object({
    sources        = list(string)
    source_key_arn = optional(string)
    settings       = optional(map(string), {})
  })
  default = null

  validation {
    condition     = alltrue([for source in try(var.producers.sources, ["s3://one"]) : can(regex("^s3://[a-z0-9][a-z0-9.-]+(/|$)", source))]) && length(try(var.producers.sources, ["s3://one"])) > 0
    error_message = "producers.sources must be one or more of s3://bucket/prefix or s3://bucket/pattern: tasks on Fargate share no folder."
  }

  validation {
    condition     = alltrue([for name in keys(try(var.producers.settings, {})) : startswith(name, "TICKETS_")])
    error_message = "producers.settings must be settings of the producer; their names start with TICKETS_."
  }
}
