variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account of the functions."
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

variable "machine_arn" {
  description = "ARN of the state machine."
  type        = string
}

variable "tables" {
  description = "The services' tables: ARNs by name, the prefix of their names, their KMS key, and the stream of Tickets, if there is one (`with_stream`); without it nothing starts the workflow."
  type        = object({ arns = map(string), prefix = string, key_arn = string, with_stream = bool, stream = optional(string) })
}

variable "rag_url" {
  description = "URL of the RAG service's load balancer."
  type        = string
}

variable "token_url" {
  description = "URL that exchanges the workflow's credentials for a token."
  type        = string
}

variable "secret" {
  description = "ARN and KMS key of the secret with the workflow's credentials (client_id, client_secret)."
  type        = object({ arn = string, key_arn = string })
}

variable "settings" {
  description = "Further settings of the steps (TICKETS_WORKFLOW__NEW_STATUSES and TICKETS_WORKFLOW__SPAM_CATEGORIES)."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = "Subnets and the security group `functions`."
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
