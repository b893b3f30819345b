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
