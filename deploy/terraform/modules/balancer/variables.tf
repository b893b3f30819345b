variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the services."
  type        = string
}

variable "subnets" {
  description = "Private subnets of the load balancer, one per zone."
  type        = list(string)
}

variable "security_group" {
  description = "Security group of the load balancer."
  type        = string
}

variable "services" {
  description = "Ports of the services rag and tickets."
  type        = map(number)

  validation {
    condition     = toset(keys(var.services)) == toset(["rag", "tickets"])
    error_message = "services must have the ports of rag and tickets, between which paths decide."
  }
}

variable "ready" {
  description = "Path that answers 200 when a task can answer requests."
  type        = string
}

variable "hidden" {
  description = "Paths that the load balancer answers with 404."
  type        = list(string)
}

variable "certificate_arn" {
  description = "ARN of the certificate of the services' domain."
  type        = string
}

variable "keep_data" {
  description = "If true, the load balancer is protected from deletion."
  type        = bool
}
