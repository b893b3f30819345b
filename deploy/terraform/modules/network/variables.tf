variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "region" {
  description = "Region of the VPC endpoints."
  type        = string
}

variable "existing" {
  description = <<-TEXT
    Your own VPC; null: create one. `private_subnets` (tasks, which need a route to AWS) and `data_subnets` (brokers) are
    subnet ids by zone. `endpoints_group` is the security group of your VPC endpoints; it gets a rule for each client.
  TEXT
  type = object({
    vpc_id          = string
    private_subnets = map(string)
    data_subnets    = optional(map(string), {})
    endpoints_group = optional(string)
  })
  default = null
}

variable "brokers_group" {
  description = "Security group of your own brokers, which gets the rules for clients; null: create one."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the flow logs' role; null: none."
  type        = string
  default     = null
}

variable "cidr" {
  description = "CIDR block of the VPC, a /16; each zone gets a /24 (public), a /20 (private) and a /24 (data). Needed unless `existing` is set."
  type        = string
  default     = null

  validation {
    condition     = var.existing != null || (can(cidrhost(var.cidr, 0)) && endswith(coalesce(var.cidr, "none"), "/16"))
    error_message = "cidr must be a /16, such as 10.20.0.0/16, which is divided into the subnets."
  }
}

variable "zones" {
  description = "Three availability zones, each with a broker and an index node."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "zones must name three different availability zones: with two, losing one can lose two of three replicas."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has its own NAT gateway, so that losing a zone leaves the others their egress; else there is one."
  type        = bool
}

variable "interface_endpoints" {
  description = "AWS services with a VPC endpoint. Others are reached through the NAT gateway, which is cheaper for little traffic."
  type        = set(string)
}

variable "kafka_port" {
  description = "Port of the brokers: 9092 for plaintext, 9096 for SCRAM, 9098 for IAM."
  type        = number
}

variable "log_key_arn" {
  description = "KMS key of the flow logs."
  type        = string
}

variable "log_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "service_ports" {
  description = "Ports of the HTTP services; empty: there are none."
  type        = map(number)
  default     = {}
}

variable "cache_port" {
  description = "Port of the HTTP services' cache."
  type        = number
  default     = 6379
}

variable "with_rotation" {
  description = "Whether a function rotates secrets, which then reaches the index's nodes and the brokers."
  type        = bool
  default     = false
}

variable "with_functions" {
  description = "Whether Lambda functions use the brokers and the HTTP services."
  type        = bool
  default     = false
}

variable "with_gateway" {
  description = "Whether a VPC link leads to the HTTP services."
  type        = bool
  default     = false
}

variable "with_models" {
  description = "Whether containers of SageMaker use AWS services."
  type        = bool
  default     = false
}
