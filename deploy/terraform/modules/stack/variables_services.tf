# Variables of the HTTP services.

variable "table_replica" {
  description = "A second region that keeps a copy of each table (a global table), and the KMS key of the copies there; null: no copies."
  type        = object({ region = string, key_arn = string })
  default     = null

  validation {
    condition     = try(var.table_replica.region != var.region, true)
    error_message = "table_replica.region must be another region than the stack's."
  }
}

variable "existing_tables" {
  description = "For the region that takes over: the tables exist here as copies of the lost region's, with this KMS key, so none is created."
  type        = object({ key_arn = string })
  default     = null

  validation {
    condition     = var.existing_tables == null || var.table_replica == null
    error_message = "existing_tables are copies themselves, so they get no table_replica: add the copy with the AWS CLI once the other region is back."
  }
}

variable "services" {
  description = <<-TEXT
    Search, answers with the page for agents, and the ticket API, at https://DOMAIN. null: none of them.
    `certificate_arn` is the ACM certificate of `domain`. `issuer` issues the access tokens, for Cognito
    https://cognito-idp.REGION.amazonaws.com/POOL, unless `sign_in` does; accepted are those of `client_ids` and `audiences`. `model` is the one
    of `models` whose collection is searched. `language_models` are ARNs of what answers may call: Bedrock's models and
    inference profiles, SageMaker's endpoints. `settings` and `secrets` are those of both services.
  TEXT
  type = object({
    certificate_arn = string
    domain          = string
    issuer          = optional(string)
    client_ids      = optional(list(string), [])
    audiences       = optional(list(string), [])
    model           = optional(string)
    cache_node_type = optional(string, "cache.t4g.small")
    language_models = optional(list(string), [])
    settings        = optional(map(string), {})
    secrets         = optional(map(string), {})
  })
  default = null

  validation {
    condition     = try(startswith(var.services.certificate_arn, "arn:") && length(var.services.domain) > 0, var.services == null)
    error_message = "services needs the ARN of a certificate (certificate_arn) and its domain: access tokens are never sent unencrypted."
  }

  validation {
    condition     = var.services == null || var.sign_in != null || try(startswith(var.services.issuer, "https://"), false)
    error_message = "services.issuer must be an https:// URL, for Cognito https://cognito-idp.REGION.amazonaws.com/POOL; it isn't needed with sign_in."
  }

  validation {
    condition     = var.sign_in != null || try(length(var.services.client_ids) + length(var.services.audiences) > 0, var.services == null)
    error_message = "services needs client_ids or audiences: without them a token that is meant for any other service would be accepted."
  }

  # Bedrock asks for the right to both.
  validation {
    condition = try(
      length([for arn in var.services.language_models : arn if strcontains(arn, "inference-profile/")]) == 0 ||
      length([for arn in var.services.language_models : arn if strcontains(arn, "::foundation-model/")]) > 0,
      true,
    )
    error_message = "services.language_models names an inference profile without its model: add the ARN of the model in each region of the profile (arn:aws:bedrock:REGION::foundation-model/MODEL)."
  }

  validation {
    condition     = try(var.services.model == null || contains(keys(var.models), var.services.model), true)
    error_message = "services.model must be one of models, whose collection is searched."
  }

  validation {
    condition = var.services == null ? true : (
      length([for name in keys(var.services.settings) : name if can(regex("PASSWORD|API_KEY|SECRET|TOKEN$", name)) || !startswith(name, "TICKETS_")]) == 0
    )
    error_message = "services.settings must be variables of the services (TICKETS_...) without a secret in plain text: put it into Secrets Manager and set its ARN in services.secrets."
  }

  validation {
    condition     = alltrue([for arn in try(values(var.services.secrets), []) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "services.secrets must map each setting to the ARN of a secret (arn:aws:secretsmanager:...), not to the secret itself."
  }

  # Here, because a validation of functions that names services would be a circle.
  validation {
    condition     = var.services != null || var.functions == null
    error_message = "functions need services: they use its tables, its cache and its load balancer."
  }
}
