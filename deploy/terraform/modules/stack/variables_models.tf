# Variables of models on SageMaker and Bedrock.

variable "hosted_models" {
  description = <<-TEXT
    Models on SageMaker and Bedrock, and SageMaker's registry of label models. null: none of them. `endpoint` serves the
    encoder on `min_instances` to `max_instances` machines, with another above `calls_per_minute` for each; `capture` copies
    `percent` of the calls, which are texts of tickets, to a bucket of yours. `training` lets jobs read labelled tickets under
    a prefix of a bucket of yours; with `set_log_days` it creates the log group of all training jobs in the account and region,
    which may exist already. `guardrail` creates a guardrail of Bedrock, which checks input and output of the RAG service's models.
  TEXT
  type = object({
    endpoint = optional(object({
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
    }))
    training  = optional(object({ bucket = string, prefix = string, key_arn = optional(string), set_log_days = optional(bool, true) }))
    guardrail = optional(bool, false)
  })
  default = null

  validation {
    condition     = try(var.hosted_models.endpoint.min_instances >= 1 && var.hosted_models.endpoint.max_instances >= var.hosted_models.endpoint.min_instances, true)
    error_message = "hosted_models.endpoint needs at least one machine, and max_instances of at least min_instances."
  }

  validation {
    condition     = !try(var.hosted_models.guardrail, false) || var.services != null
    error_message = "hosted_models.guardrail needs services: only the RAG service calls language models."
  }
}
