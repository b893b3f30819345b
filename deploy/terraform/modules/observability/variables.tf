variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "The account whose alarms may publish."
  type        = string
}

variable "region" {
  description = "Region of the metrics."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the alerts."
  type        = string
}

variable "subscribers" {
  description = "Email addresses by severity (critical, warning, info); each must confirm its subscription."
  type        = map(list(string))
}

variable "kafka" {
  description = "Name of the MSK cluster and ids of its brokers, as in its metrics."
  type        = object({ name = string, broker_ids = list(string) })
}

variable "cluster_name" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "workers" {
  description = "Consumer group, topic and thresholds, by service."
  type = map(object({
    group      = string
    topic      = string
    target_lag = number
    min_tasks  = number
    max_tasks  = number
  }))
}

variable "index" {
  description = "ECS services of the nodes, and CloudWatch's names of their load balancer and target group."
  type        = object({ nodes = list(string), load_balancer = string, target_group = string })
}

variable "namespace" {
  description = "CloudWatch namespace of the collectors' metrics."
  type        = string
}

variable "services" {
  description = "The HTTP services: target group, slowest p95 and minimum of tasks by service, their load balancer, tables and cache nodes. null: none."
  type = object({
    load_balancer = string
    services      = map(object({ target_group = string, slow_s = number, min_tasks = number }))
    tables        = map(string)
    cache_nodes   = map(string)
  })
  default = null
}

variable "copies" {
  description = "Source and target bucket of each copy to a second region."
  type        = map(object({ source = string, target = string }))
  default     = {}
}

variable "background" {
  description = "Minimum of tasks of the services without requests (archive, producer); of the archiver also its group and topic."
  type        = map(object({ min_tasks = number, group = optional(string), topic = optional(string) }))
  default     = {}
}

variable "others" {
  description = "Alarms of other modules that the dashboard shows too, by their full name."
  type = map(object({
    namespace  = string
    metric     = string
    dimensions = map(string)
    statistic  = string
    threshold  = number
    severity   = string
    runbook    = string
    comparison = optional(string, "GreaterThanThreshold")
  }))
  default = {}
}

variable "vaults" {
  description = "Name of the vault of backups, or none."
  type        = list(string)
  default     = []
}
