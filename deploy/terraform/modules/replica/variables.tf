variable "global_name" {
  description = "Prefix of names in the first region, which contains its region's code."
  type        = string
}

variable "account_id" {
  description = "The account of both regions."
  type        = string
}

variable "region" {
  description = "The second region, that of the provider."
  type        = string
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}

variable "force_destroy" {
  description = "Whether destroy deletes the copies."
  type        = bool
}

variable "final_after_days" {
  description = "Days, at least 3, after which nobody can remove the vault's lock. null: a principal with the right always can."
  type        = number
  default     = null
}
