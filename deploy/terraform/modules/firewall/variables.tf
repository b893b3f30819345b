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
  description = "ARNs of the resources that a REGIONAL web ACL protects, by any name; a distribution names its web ACL itself."
  type        = map(string)
  default     = {}
}

variable "requests_per_address" {
  description = "Maximum requests of an address in any five minutes; null, for requests that come from a proxy's addresses: not counted."
  type        = number
  default     = 1000
}

variable "stage" {
  description = "Prefix of a REST API's paths, that is, its stage: /live; empty for a distribution."
  type        = string
  default     = ""
}

variable "ticket_bytes" {
  description = "Maximum bytes of a body that writes a ticket, as in the ticket API."
  type        = number
  default     = 2000000
}

variable "body_bytes" {
  description = "Maximum bytes of any other body, as in the services."
  type        = number
  default     = 262144
}

variable "origin_secret" {
  description = "Text that the distribution sends in the header x-origin-verify; requests without it are refused. null: not required."
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
