variable "prefix" {
  description = "Prefix of the tables' names."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the tables."
  type        = string
}

variable "keep_data" {
  description = "If true, a plan that destroys or replaces a table is refused, and so is a deletion by other means."
  type        = bool
}

variable "replica" {
  description = "A second region that keeps a copy of each table, and the KMS key of the copies there; null: no copies."
  type        = object({ region = string, key_arn = string })
  default     = null
}

variable "outbox_stream" {
  description = "Whether TicketMetadata has a stream of its keys, for the function `outbox`."
  type        = bool
  default     = false
}
