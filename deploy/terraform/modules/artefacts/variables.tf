variable "bucket" {
  description = "Name of the bucket; names are shared by all of AWS's customers."
  type        = string
}

variable "key_arn" {
  description = "Key of the bucket."
  type        = string
}

variable "force_destroy" {
  description = "Delete the bucket with its models on destroy."
  type        = bool
}
