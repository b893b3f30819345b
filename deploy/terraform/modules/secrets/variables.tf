variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "secrets" {
  description = "Name to what it is for."
  type        = map(string)
}

variable "key_arn" {
  description = "Key of the secrets."
  type        = string
}

variable "recovery_days" {
  description = "How long a deleted secret can be brought back; 0: not at all."
  type        = number
}
