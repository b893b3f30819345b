variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "secrets" {
  description = "Descriptions of the secrets, by name."
  type        = map(string)
}

variable "key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "recovery_days" {
  description = "Days that a deleted secret can be restored; 0: not at all."
  type        = number
}
