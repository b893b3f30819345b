variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "The account whose alarms may speak."
  type        = string
}

variable "key_arn" {
  description = "Key of the alerts."
  type        = string
}

variable "subscribers" {
  description = "Severity (critical, warning) to mail addresses; each is asked to confirm."
  type        = map(list(string))
}

variable "kafka" {
  description = "MSK cluster as its metrics name it, and its brokers."
  type        = object({ name = string, broker_ids = list(string) })
}

variable "cluster_name" {
  description = "ECS cluster."
  type        = string
}

variable "workers" {
  description = "Service to the group whose lag it answers for, the topic, and its bounds."
  type = map(object({
    group      = string
    topic      = string
    target_lag = number
    min_tasks  = number
    max_tasks  = number
  }))
}

variable "index" {
  description = "Services of the nodes, and how CloudWatch names the load balancer before them."
  type        = object({ nodes = list(string), load_balancer = string, target_group = string })
}

variable "namespace" {
  description = "Of the metrics that the collectors write."
  type        = string
}
