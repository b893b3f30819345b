variable "name" {
  description = "Name of the vault."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the backups."
  type        = string
}

variable "retention_days" {
  description = "Days that a backup is kept at least and at most."
  type        = object({ min = number, max = number })
}

variable "final_after_days" {
  description = "Days, at least 3, after which nobody can remove the lock. null: a principal with the right always can."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether destroy deletes the backups."
  type        = bool
  default     = false
}
