variable "name" {
  description = "Prefix of names in us-east-1 that belong to an account, and of log groups."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique beyond a region."
  type        = string
}

variable "account_id" {
  description = "The account, for the bucket's name."
  type        = string
}

variable "domain" {
  description = "Domain name of the page and the API."
  type        = string
}

variable "zone_id" {
  description = "Route 53 hosted zone of the domain."
  type        = string
}

variable "api" {
  description = "Origin of /api/*: its domain name, and the path before it, for a REST API its stage."
  type        = object({ domain = string, path = optional(string, "") })
}

variable "origin_secret" {
  description = "Text that is sent to the API in the header x-origin-verify; null: none."
  type        = string
  default     = null
  sensitive   = true
}

variable "pages" {
  description = "Folder of the page's files."
  type        = string
}

variable "page" {
  description = "Content of the page's config.json (docs/web.md)."
  type = object({
    token_url  = optional(string)
    tenant     = optional(string)
    ticket_url = optional(string)
    examples   = optional(list(string), [])
  })
  default = {}
}

variable "web_acl_arn" {
  description = "ARN of the web ACL with the scope CLOUDFRONT."
  type        = string
}

variable "web_acl_metric" {
  description = "CloudWatch's name of that web ACL."
  type        = string
}

variable "price_class" {
  description = "Edge locations: PriceClass_All, PriceClass_200 or PriceClass_100."
  type        = string
  default     = "PriceClass_All"

  validation {
    condition     = contains(["PriceClass_All", "PriceClass_200", "PriceClass_100"], var.price_class)
    error_message = "price_class must be PriceClass_All, PriceClass_200 or PriceClass_100."
  }
}

variable "blocked_countries" {
  description = "Two-letter codes of countries whose requests are refused."
  type        = set(string)
  default     = []
}

variable "topics" {
  description = "ARNs of SNS topics in us-east-1 by severity. Empty: no alarms, because an alarm can only notify topics of its own region."
  type        = map(string)
  default     = {}
}

variable "log_key_arn" {
  description = "KMS key in us-east-1 of the access log; null: CloudWatch's own."
  type        = string
  default     = null
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "force_destroy" {
  description = "If true, destroy deletes the page's files too."
  type        = bool
}
