variable "cluster_name" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "service_name" {
  description = "ECS service to scale."
  type        = string
}

variable "load_balancer" {
  description = "CloudWatch's name of the load balancer."
  type        = string
}

variable "target_group" {
  description = "CloudWatch's name of the service's target group."
  type        = string
}

variable "requests_per_task_s" {
  description = "Requests a second that one task answers."
  type        = number
}

variable "min_tasks" {
  description = "Minimum number of tasks; two, so that one may fail."
  type        = number

  validation {
    condition     = var.min_tasks >= 2 && var.min_tasks <= var.max_tasks
    error_message = "min_tasks must be 2 or more, so that one task may fail, and at most max_tasks."
  }
}

variable "max_tasks" {
  description = "Maximum number of tasks."
  type        = number
}
