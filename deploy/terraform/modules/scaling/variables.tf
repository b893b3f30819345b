variable "cluster_name" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "service_name" {
  description = "ECS service to scale."
  type        = string
}

variable "kafka_name" {
  description = "Name of the MSK cluster, as in its metrics."
  type        = string
}

variable "group" {
  description = "Consumer group of the service."
  type        = string

  validation {
    condition     = can(regex("^[!-9;-~]+$", var.group))
    error_message = "group must be ASCII without a colon, because MSK gives no lag for other names."
  }
}

variable "topic" {
  description = "Topic that the service reads."
  type        = string
}

variable "partitions" {
  description = "Partitions of that topic."
  type        = number
}

variable "target_lag" {
  description = "Target lag of a task: tickets_per_s × catch_up_s of deploy/sizes.yaml."
  type        = number

  validation {
    condition     = var.target_lag > 0
    error_message = "target_lag must be above 0; it is tickets_per_s × catch_up_s of deploy/sizes.yaml."
  }
}

variable "min_tasks" {
  description = "Minimum number of tasks; two, so that one may fail."
  type        = number

  validation {
    condition     = var.min_tasks >= 1 && var.min_tasks <= var.max_tasks
    error_message = "min_tasks must be 1 or more, and at most max_tasks."
  }
}

variable "max_tasks" {
  description = "Maximum number of tasks."
  type        = number

  validation {
    condition     = var.max_tasks <= var.partitions
    error_message = "max_tasks (${var.max_tasks}) is above the ${var.partitions} partitions of ${var.topic}: a task without a partition does nothing. Lower max_tasks in deploy/sizes.yaml, or give the topic more partitions in topics.yaml."
  }
}
