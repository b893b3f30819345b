variable "account_id" {
  description = "The account of the secrets."
  type        = string
}

variable "function" {
  description = "The function `rotation`: its ARN, and the name of its role."
  type        = object({ arn = string, role = string })
}

variable "secrets" {
  description = "ARNs of the secrets to rotate, by a short name. Each is a JSON object with the fields of docs/lambdas.md."
  type        = map(string)
}

variable "days" {
  description = "Days between two rotations. Clients restart within that time, because the credential before the last one is refused."
  type        = number

  validation {
    condition     = var.days >= 1 && var.days <= 365
    error_message = "days must be between 1 and 365."
  }
}

variable "brokers_secrets" {
  description = "ARNs of the secrets that MSK reads its users' passwords from."
  type        = list(string)
  default     = []
}

variable "services" {
  description = "ARNs of the ECS services that a rotation restarts: the index's nodes, and the clients."
  type        = list(string)
}

variable "cache_users" {
  description = "ARNs of the ElastiCache users whose passwords are rotated."
  type        = list(string)
  default     = []
}

variable "key_arn" {
  description = "KMS key of the secrets."
  type        = string
}
