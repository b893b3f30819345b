variable "global_name" {
  description = "Prefix of the buckets' names."
  type        = string
}

variable "account_id" {
  description = "The account of the buckets."
  type        = string
}

variable "region" {
  description = "Region of the buckets."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "key_arn" {
  description = "KMS key of events and verdicts."
  type        = string
}

variable "also_logged" {
  description = "Further buckets whose access is logged here, by folder."
  type        = map(string)
  default     = {}
}

variable "log_days" {
  description = "Days that access logs are kept."
  type        = number
}

variable "force_destroy" {
  description = "Whether destroy deletes the buckets and their objects."
  type        = bool
}

variable "replica" {
  description = "Region, buckets (ARN by name) and keys (ARN by purpose) of the copies; null: no copies."
  type        = object({ region = string, buckets = map(string), key_arns = map(string) })
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the copying roles; null: none."
  type        = string
  default     = null
}
