variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "subnets" {
  description = "Subnets in at least two zones."
  type        = list(string)
}

variable "security_group" {
  description = "Security group of the nodes."
  type        = string
}

variable "port" {
  description = "Port of the nodes."
  type        = number
}

variable "node_type" {
  description = "Type of a node."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the nodes' disks."
  type        = string
}
