variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "The account that may use the keys."
  type        = string
}

variable "region" {
  description = "Region of the CloudWatch Logs service that uses the keys."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "purposes" {
  description = "Keys to create: data, secrets, telemetry, events, backup."
  type        = set(string)
  default     = ["data", "secrets", "telemetry", "events"]
}

variable "keep_data" {
  description = "If true, a plan that destroys or replaces a key is refused."
  type        = bool
  default     = false
}
