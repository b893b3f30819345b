variable "name" {
  description = "Name of the web ACL."
  type        = string
}

variable "scope" {
  description = "CLOUDFRONT (with a provider in us-east-1) or REGIONAL, for the stage of a REST API or a load balancer."
  type        = string

  validation {
    condition     = contains(["CLOUDFRONT", "REGIONAL"], var.scope)
    error_message = "scope must be CLOUDFRONT or REGIONAL."
  }
}

variable "protects" {
  description = "ARNs of what a REGIONAL web ACL protects, by any name; a distribution names its web ACL itself."
  type        = map(string)
  default     = {}
}

variable "requests_per_address" {
  description = "Requests of an address in any five minutes; null: not counted, where requests come from another proxy's addresses."
  type        = number
  default     = 1000
}

variable "stage" {
  description = "First part of paths that a REST API may have, its stage: /live; empty for a distribution."
  type        = string
  default     = ""
}

variable "ticket_bytes" {
  description = "Largest body of a request that writes a ticket, as the ticket API takes it."
  type        = number
  default     = 2000000
}

variable "body_bytes" {
  description = "Largest body of any other request, as the services take it."
  type        = number
  default     = 262144
}

variable "origin_secret" {
  description = "Text that the distribution sends in the header x-origin-verify; requests without it are refused. null: not asked for."
  type        = string
  default     = null
  sensitive   = true
}

variable "log_key_arn" {
  description = "KMS key of the log, in the web ACL's region; null: CloudWatch's own."
  type        = string
  default     = null
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}
