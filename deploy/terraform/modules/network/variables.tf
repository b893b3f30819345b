variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region, for the names of the endpoints."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network: a /16, of which each zone gets a /24 (public), a /20 (private) and a /24 (data)."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "cidr must be a /16, such as 10.20.0.0/16: the subnets are cut from it."
  }
}

variable "zones" {
  description = "Three availability zones: three brokers and three index nodes, one in each."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "zones must name three different availability zones: three replicas in two zones lose two of them with one."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone, so that the loss of one zone doesn't take the others' way out; else a single one."
  type        = bool
}

variable "interface_endpoints" {
  description = "AWS services that are reached without leaving the network. None: through the NAT gateway, which is cheaper where little is sent."
  type        = set(string)
}

variable "kafka_port" {
  description = "The brokers' port that workers use: 9092 in plain text, 9096 SCRAM, 9098 IAM."
  type        = number
}

variable "log_key_arn" {
  description = "Key of the flow logs."
  type        = string
}

variable "log_days" {
  description = "How long flow logs are kept."
  type        = number
}
