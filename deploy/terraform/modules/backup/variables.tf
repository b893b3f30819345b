variable "name" {
  description = "Name of the vault, and beginning of the tag `backup` of the resources to back up (NAME-hourly, NAME-daily)."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account of the vault."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the backups."
  type        = string
}

variable "copy_vault_arn" {
  description = "ARN of the vault in the second region that backups are copied to; null: none."
  type        = string
  default     = null
}

variable "final_after_days" {
  description = "Days, at least 3, after which nobody can remove the vault's lock. null: a principal with the right always can."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether destroy deletes the backups."
  type        = bool
  default     = false
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the role; null: none."
  type        = string
  default     = null
}
