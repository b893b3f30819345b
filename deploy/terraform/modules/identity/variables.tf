variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account whose tasks may assume the roles."
  type        = string
}

variable "tasks" {
  description = "Permissions by task: topics to read, write and create, consumer groups, prefixes of models, secrets, image repositories, tables (ARN, actions, and actions on its indexes), objects (bucket, prefix, actions, and key), caches to connect to, language models to call, embedding models to call, and whether it writes metrics and traces."
  type = map(object({
    reads   = optional(list(string), [])
    writes  = optional(list(string), [])
    creates = optional(list(string), [])
    groups  = optional(list(string), [])
    models  = optional(list(string), [])
    secrets = optional(list(string), [])
    images  = optional(list(string), [])
    tables  = optional(list(object({ arn = string, actions = list(string), by_index = optional(list(string), []) })), [])
    objects = optional(list(object({ bucket_arn = string, prefix = optional(string, ""), actions = list(string), key_arn = optional(string), key_actions = optional(list(string), []) })), [])
    caches  = optional(list(string), [])
    calls   = optional(list(string), [])
    embeds  = optional(list(string), [])
    metrics = optional(bool, false)
  }))
}

variable "kafka_arn" {
  description = "ARN of the MSK cluster, from which the ARNs of topics and groups derive."
  type        = string
}

variable "producer_topic" {
  description = "Topic that your producers may write."
  type        = string
}

variable "kafka_iam" {
  description = "Whether Kafka clients authenticate with IAM; if so, the task roles get Kafka permissions."
  type        = bool
}

variable "bucket_arn" {
  description = "ARN of the bucket of models."
  type        = string
}

variable "data_key_arn" {
  description = "KMS key of that bucket."
  type        = string
}

variable "tables_key_arn" {
  description = "KMS key of the tables; null: that of the bucket."
  type        = string
  default     = null
}

variable "secrets_key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "log_arns" {
  description = "ARNs of the log groups, by task."
  type        = map(string)
}

variable "metrics_log_arn" {
  description = "Log group that the collectors write metrics to."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
