variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "key_arn" {
  description = "Key of the logs."
  type        = string
}

variable "log_days" {
  description = "How long the tasks' logs are kept."
  type        = number
}

variable "tasks" {
  description = "Tasks that run here; each gets a log group."
  type        = set(string)
}
