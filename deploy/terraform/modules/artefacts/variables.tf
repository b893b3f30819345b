variable "bucket" {
  description = "Name of the bucket; it must be unique in all of AWS."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the bucket."
  type        = string
}

variable "force_destroy" {
  description = "Whether destroy deletes the bucket and its models."
  type        = bool
}

variable "region" {
  description = "Region of the bucket; needed for a copy."
  type        = string
  default     = null
}

variable "log" {
  description = "Bucket of the access log, and the folder in it. null: no log."
  type        = object({ bucket = string, name = string })
  default     = null
}

variable "replica" {
  description = "Bucket in another region that each object is copied to, its region and key, and the account. null: no copy."
  type        = object({ bucket_arn = string, region = string, key_arn = string, account_id = string })
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the copying role; null: none."
  type        = string
  default     = null
}
