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
