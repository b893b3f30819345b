variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "account_id" {
  description = "The account of the endpoint and of the jobs."
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

variable "image" {
  description = "The encoder's image, and the ARN of its repository."
  type        = object({ url = string, repository_arn = string })
}

variable "environment" {
  description = "Settings of the endpoint's containers: those of the embedding model."
  type        = map(string)
}

variable "network" {
  description = "ARNs of the subnets and of the security group that containers have an address in."
  type        = object({ subnets = list(string), security_group = string })
}

variable "models" {
  description = "The bucket of models: its name, the prefix of the embedding model that containers fetch, and its KMS key."
  type        = object({ bucket = string, store = string, key_arn = string })
}

variable "endpoint" {
  description = <<-TEXT
    The endpoint of the encoder. null: none. Machines are added above `calls_per_minute` for each. `capture` copies that share
    of requests and answers, which are texts of tickets, to a bucket of yours with its KMS key. null: nothing is copied.
  TEXT
  type = object({
    instance_type    = optional(string, "ml.m5.large")
    min_instances    = optional(number, 1)
    max_instances    = optional(number, 4)
    calls_per_minute = optional(number, 600)
    capture = optional(object({
      bucket  = string
      prefix  = optional(string, "captured")
      percent = optional(number, 10)
      key_arn = string
    }))
  })
  default = null
}

variable "training" {
  description = <<-TEXT
    Lets training jobs read the labelled tickets under a prefix of a bucket of yours, with its KMS key (null: S3's own), and
    write label models. null: no jobs. All jobs of an account and region share one log group: `set_log_days` makes it, kept for
    `log_days`; false if there is one already.
  TEXT
  type = object({
    bucket       = string
    prefix       = string
    key_arn      = optional(string)
    set_log_days = optional(bool, true)
  })
  default = null
}

variable "guardrail" {
  description = "Whether there is a guardrail of Bedrock for answers."
  type        = bool
  default     = false
}

variable "log_days" {
  description = "Days that the logs of the endpoint and of training jobs are kept."
  type        = number
}

variable "topics" {
  description = "ARNs of the SNS topics of alarms, by severity (critical, warning)."
  type        = map(string)
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
