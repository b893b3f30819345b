variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the logs."
  type        = string
}

variable "log_days" {
  description = "Days that the tasks' logs are kept."
  type        = number
}

variable "tasks" {
  description = "Tasks of the cluster; each gets a log group."
  type        = set(string)
}
