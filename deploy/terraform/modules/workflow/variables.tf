variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account of the state machine."
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

variable "functions" {
  description = "ARNs of the steps' functions: classify, find, answer and decide."
  type        = object({ classify = string, find = string, answer = string, decide = string })
}

variable "subscribers" {
  description = "Email addresses that get every decision; each must confirm its subscription. Subscribe programs to the topic, and filter by the attributes decision and tenant_id."
  type        = list(string)
  default     = []
}

variable "key_arn" {
  description = "KMS key of the topic of decisions."
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
  description = "ARNs of the SNS topics of alarms, by severity (critical, warning)."
  type        = map(string)
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the role; null: none."
  type        = string
  default     = null
}
