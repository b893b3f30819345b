variable "account_id" {
  description = "Your AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"
}

variable "vpc" {
  description = "Your VPC, three private subnets by zone, and the security group of its VPC endpoints, if it has any."
  type = object({
    vpc_id          = string
    private_subnets = map(string)
    endpoints_group = optional(string)
  })
}

variable "kafka" {
  description = "Your MSK cluster and the security group of its brokers."
  type = object({
    arn            = string
    security_group = string
    brokers        = optional(string)
    broker_count   = optional(number, 3)
  })
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of every role; null: none."
  type        = string
  default     = null
}

variable "index_certificate_arn" {
  description = "ACM certificate of index_domain."
  type        = string
}

variable "index_domain" {
  description = "Your domain name for the index."
  type        = string
}

variable "on_call" {
  description = "Email address for critical alarms."
  type        = string
}
