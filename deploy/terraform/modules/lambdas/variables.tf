variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "group" {
  description = "Name of these functions together, for their queue of dead letters."
  type        = string
  default     = "functions"
}

variable "account_id" {
  description = "The account whose services may call the functions."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "functions" {
  description = <<-TEXT
    The functions by name. `zip` is the name of the zip, by default the function's. `timeout_s` is below the caller's;
    `concurrency` is reserved, so that a function neither starves others nor is starved; -1: not reserved.
    `security_group` is one of `network`, and puts the function into the VPC. `asynchronous`: its caller doesn't wait, so
    events that fail three times go to a queue. `stream`: it reads one. The alarm of `severity` fires after
    `alarm_minutes` in a row with errors; 0: never, for a function whose caller expects errors, retries them and has
    alarms of its own. `statements` are its permissions.
  TEXT
  type = map(object({
    description    = string
    handler        = string
    zip            = optional(string)
    timeout_s      = number
    memory_mib     = optional(number, 512)
    concurrency    = number
    security_group = optional(string)
    asynchronous   = optional(bool, false)
    stream         = optional(bool, false)
    severity       = optional(string, "warning")
    alarm_minutes  = optional(number, 5)
    environment    = optional(map(string), {})
    statements = optional(list(object({
      sid       = string
      actions   = list(string)
      resources = list(string)
      condition = optional(map(map(list(string))), {})
    })), [])
  }))

  validation {
    condition = length(flatten([
      for function in var.functions : [for name in keys(function.environment) : name if can(regex("PASSWORD|API_KEY|SECRET$|TOKEN$", name))]
    ])) == 0
    error_message = "A function's environment holds a secret in plain text (a name with PASSWORD or API_KEY, or that ends in SECRET or TOKEN): let its role authenticate it, or read the secret from Secrets Manager."
  }

  validation {
    condition     = alltrue([for function in var.functions : function.timeout_s <= 900 && function.concurrency != 0])
    error_message = "A function's timeout_s must be at most 900, Lambda's limit, and its concurrency must not be 0, which would stop it."
  }
}

variable "invokers" {
  description = "Permissions to call a function, by any name: the function, the AWS service (principal) and the ARN of the caller."
  type        = map(object({ function = string, principal = string, source_arn = string }))
  default     = {}
}

variable "zips" {
  description = "Folder of the zips NAME.zip, which `make lambda-zip` builds."
  type        = string
}

variable "architecture" {
  description = "Architecture that the zips are built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64, or arm64 if the zips are built with --arm64."
  }
}

variable "network" {
  description = "Subnets and security groups, by name, of the functions in the VPC; null if none is."
  type        = object({ subnets = list(string), security_groups = map(string) })
  default     = null
}

variable "key_arn" {
  description = "KMS key of the settings and of the queue."
  type        = string
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

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
