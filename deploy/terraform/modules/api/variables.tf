variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "pool_arn" {
  description = "ARN of the user pool whose tokens are accepted."
  type        = string
}

variable "scopes" {
  description = "Scopes; a token needs one of them."
  type        = list(string)

  validation {
    condition     = length(var.scopes) > 0
    error_message = "scopes must not be empty: without one, API Gateway would take ID tokens and refuse access tokens."
  }
}

variable "functions" {
  description = "Invocation ARNs of the functions tickets and responses."
  type        = object({ tickets = string, responses = string })
}

variable "rag_url" {
  description = "URL of the RAG service's load balancer, with the domain of its certificate."
  type        = string
}

variable "link" {
  description = "VPC, subnets and security group of the VPC link's load balancer, and the load balancer behind it."
  type        = object({ vpc_id = string, subnets = list(string), security_group = string, load_balancer_arn = string })
}

variable "programs" {
  description = "Requests per second, burst and requests per day, by program. Each gets a key, which the ticket API then demands; without programs it demands none."
  type        = map(object({ rate = optional(number, 10), burst = optional(number, 20), per_day = optional(number, 100000) }))
  default     = {}
}

variable "limits" {
  description = "Requests per second and burst of all callers together, for each operation."
  type        = object({ rate = number, burst = number })
  default     = { rate = 100, burst = 200 }
}

variable "stream_answers" {
  description = "Whether answers are streamed, by a method in a stack of CloudFormation."
  type        = bool
  default     = true
}

variable "set_account_role" {
  description = "Whether to set the role with which API Gateway writes logs in this account and region; false if it is set elsewhere."
  type        = bool
  default     = true
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

variable "keep_data" {
  description = "If true, the load balancer is protected from deletion."
  type        = bool
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
