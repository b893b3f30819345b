variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account of the function."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "zips" {
  description = "Folder of the zips, which `make lambda-zip` builds."
  type        = string
}

variable "architecture" {
  description = "Architecture that the zips are built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "url" {
  description = "The public address: that of the edge, or of the REST API."
  type        = string
}

variable "secret" {
  description = "ARN and KMS key of the secret with the credentials of its user."
  type        = object({ arn = string, key_arn = string })
}

variable "question" {
  description = "Its question, which a solved ticket of its tenant answers; null: the default of TICKETS_CANARY__QUESTION."
  type        = string
  default     = null
}

variable "key_arn" {
  description = "KMS key of the settings."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key of the log."
  type        = string
}

variable "log_days" {
  description = "Days that the log is kept."
  type        = number
}

variable "topics" {
  description = "ARNs of the topics that alarms notify, by severity (critical, warning)."
  type        = map(string)
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the role; null: none."
  type        = string
  default     = null
}
