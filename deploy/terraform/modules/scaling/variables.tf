variable "cluster_name" {
  description = "ECS cluster."
  type        = string
}

variable "service_name" {
  description = "Service that grows and shrinks."
  type        = string
}

variable "kafka_name" {
  description = "MSK cluster, as its metrics name it."
  type        = string
}

variable "group" {
  description = "Consumer group whose lag counts."
  type        = string

  validation {
    condition     = can(regex("^[!-9;-~]+$", var.group))
    error_message = "group must be ASCII and without a colon: MSK gives no lag for other names."
  }
}

variable "topic" {
  description = "Topic it reads."
  type        = string
}

variable "partitions" {
  description = "Partitions of that topic."
  type        = number
}

variable "target_lag" {
  description = "Records a task may lag by: what it does in the time that catching up may take."
  type        = number

  validation {
    condition     = var.target_lag > 0
    error_message = "target_lag must be above 0: it is what one task works off in catch_up_s of deploy/sizes.yaml."
  }
}

variable "min_tasks" {
  description = "Tasks at least: two, so that one may die."
  type        = number

  validation {
    condition     = var.min_tasks >= 1 && var.min_tasks <= var.max_tasks
    error_message = "min_tasks must be 1 or more, and not above max_tasks."
  }
}

variable "max_tasks" {
  description = "Tasks at most."
  type        = number

  validation {
    condition     = var.max_tasks <= var.partitions
    error_message = "max_tasks (${var.max_tasks}) is above the ${var.partitions} partitions of ${var.topic}: a task without a partition does nothing. Lower max_tasks in deploy/sizes.yaml, or give the topic more partitions in topics.yaml."
  }
}
