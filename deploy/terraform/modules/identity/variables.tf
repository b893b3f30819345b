variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "The account whose tasks may take the roles."
  type        = string
}

variable "tasks" {
  description = "Task to what it may do: topics it reads, writes and creates, groups it is a member of, models it takes, secrets it is started with."
  type = map(object({
    reads   = optional(list(string), [])
    writes  = optional(list(string), [])
    creates = optional(list(string), [])
    groups  = optional(list(string), [])
    models  = optional(list(string), [])
    secrets = optional(list(string), [])
    images  = optional(list(string), [])
    metrics = optional(bool, false)
  }))
}

variable "kafka_arn" {
  description = "The cluster; topics and groups are named after it."
  type        = string
}

variable "kafka_iam" {
  description = "Clients are let in by IAM, so the roles say what they may do."
  type        = bool
}

variable "bucket_arn" {
  description = "Bucket of the models."
  type        = string
}

variable "data_key_arn" {
  description = "Key of that bucket."
  type        = string
}

variable "secrets_key_arn" {
  description = "Key of the secrets."
  type        = string
}

variable "log_arns" {
  description = "Task to its log group."
  type        = map(string)
}

variable "metrics_log_arn" {
  description = "Log group that the collectors write metrics to."
  type        = string
}
