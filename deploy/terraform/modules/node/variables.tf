variable "name" {
  description = "Name of the node, which is also the value of its machine's ECS attribute `node`."
  type        = string
}

variable "cluster_arn" {
  description = "ARN of the ECS cluster."
  type        = string
}

variable "task_definition_arn" {
  description = "ARN of the node's task definition."
  type        = string
}

variable "subnet" {
  description = "Subnet of the node's zone."
  type        = string
}

variable "security_group" {
  description = "Security group of the nodes."
  type        = string
}

variable "registry_arn" {
  description = "ARN of the node's Cloud Map service."
  type        = string
}

variable "target_group_arn" {
  description = "ARN of the load balancer's target group."
  type        = string
}

variable "port" {
  description = "Port of the node behind the load balancer."
  type        = number
}
