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

variable "streams" {
  description = "Tables with a stream of their keys that wakes a function: TicketMetadata (outbox) and Tickets (workflow)."
  type        = set(string)
  default     = []
}
