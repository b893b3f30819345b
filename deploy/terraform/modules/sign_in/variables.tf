variable "name" {
  description = "Name of the pool."
  type        = string
}

variable "domain_prefix" {
  description = "Prefix of the domain of Cognito's sign-in pages; it must be unique in the region."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix)) && !can(regex("aws|amazon|cognito", var.domain_prefix))
    error_message = "domain_prefix must be 1 to 63 lower-case letters, digits and hyphens, without aws, amazon or cognito."
  }
}

variable "callback_urls" {
  description = "URLs of the page to which Cognito returns after a sign-in."
  type        = list(string)

  validation {
    condition     = length(var.callback_urls) > 0 && alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])", url))])
    error_message = "callback_urls must be https:// URLs (or http://localhost for trials): the code in them signs the user in."
  }
}

variable "logout_urls" {
  description = "URLs of the page to which Cognito returns after a sign-out."
  type        = list(string)
  default     = []
}

variable "mfa" {
  description = "ON: every user enters a one-time password (TOTP). OPTIONAL: only users who have set it up do, so that programs can sign in."
  type        = string
  default     = "OPTIONAL"

  validation {
    condition     = contains(["ON", "OPTIONAL"], var.mfa)
    error_message = "mfa must be ON or OPTIONAL."
  }
}

variable "identity_providers" {
  description = "Directories of your own whose users may sign in, by name: SAML or OIDC, Cognito's provider_details, and the attributes to copy."
  type = map(object({
    type       = string
    details    = map(string)
    attributes = optional(map(string), { email = "email" })
  }))
  default = {}

  validation {
    condition     = alltrue([for provider in var.identity_providers : contains(["SAML", "OIDC"], provider.type)])
    error_message = "The type of an identity provider must be SAML or OIDC."
  }

  validation {
    condition     = alltrue([for provider in var.identity_providers : !contains(keys(provider.attributes), "custom:tenant_id")])
    error_message = "attributes must not map custom:tenant_id: Cognito copies only attributes that the application may write, and a user who may write the tenant could choose it."
  }
}

variable "with_workflow" {
  description = "Whether the workflow of new tickets gets an application with credentials of its own."
  type        = bool
  default     = false
}

variable "pre_token_arn" {
  description = "ARN of the function that adds tenant and roles to the tokens."
  type        = string
}

variable "keep_data" {
  description = "If true, a plan that destroys or replaces the pool is refused, and so is a deletion by other means."
  type        = bool
}
