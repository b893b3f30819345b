variable "name" {
  description = "Name of the table."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the table."
  type        = string
}

variable "keep_data" {
  description = "If true, the table can't be deleted."
  type        = bool
}
