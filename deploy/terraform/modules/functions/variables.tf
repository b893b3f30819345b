variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account whose services may call the functions."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "zips" {
  description = "Folder of the zips, which `make lambda-zip` builds."
  type        = string
}

variable "architecture" {
  description = "Architecture that the zips are built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "raw" {
  description = "Raw records for the function transformation: the fields (`map`), sources of events on EventBridge's default bus, and names of buckets that notify it, with the KMS key of their objects (`key_arn`), if any. null: no such function."
  type = object({
    map           = string
    event_sources = optional(list(string), [])
    buckets       = optional(list(string), [])
    key_arn       = optional(string)
  })
  default = null
}

variable "tables" {
  description = "The services' tables: ARNs by name, the prefix of their names, their KMS key, and the stream of the outbox, if there is one (`with_stream`); without it the schedule alone wakes `outbox`."
  type        = object({ arns = map(string), prefix = string, key_arn = string, with_stream = bool, outbox_stream = optional(string) })
}

variable "kafka" {
  description = "ARN of the MSK cluster, and the settings of its clients."
  type        = object({ arn = string, settings = map(string) })
}

variable "cache" {
  description = "ARNs of the cache and its user, and the settings of its clients."
  type        = object({ arns = list(string), settings = map(string) })
  default     = { arns = [], settings = {} }
}

variable "api_settings" {
  description = "Further settings of the ticket API, such as those of its tokens and sign-ins."
  type        = map(string)
}

variable "rag_url" {
  description = "URL of the RAG service's load balancer."
  type        = string
}

variable "proxies" {
  description = "Number of proxies before the functions: 1 for API Gateway, 2 behind CloudFront."
  type        = number
  default     = 1
}

variable "callers" {
  description = "ARNs of the operations of API Gateway that call a function, by function and operation."
  type        = map(map(string))
  default     = {}
}

variable "pools" {
  description = "ARNs of the user pools that call pre_token, by name."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = "Subnets and security groups: `functions`, and `rotation` if the function of that name is wanted."
  type        = object({ subnets = list(string), security_groups = map(string) })
}

variable "key_arn" {
  description = "KMS key of the settings and the queue."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key of the logs."
  type        = string
}

variable "log_days" {
  description = "Days that the logs are kept."
  type        = number
}

variable "topics" {
  description = "ARNs of the topics that alarms notify, by severity (critical, warning)."
  type        = map(string)
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
