# The user pool that issues the services' access tokens. Administrators create users, and only they set a user's tenant.

locals {
  scope = "api"
}

resource "aws_cognito_user_pool" "this" {
  name                     = var.name
  user_pool_tier           = "ESSENTIALS" # the trigger changes access tokens
  deletion_protection      = var.keep_data ? "ACTIVE" : "INACTIVE"
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.mfa

  username_configuration {
    case_sensitive = false
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  software_token_mfa_configuration {
    enabled = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  # No client may write it (clients.tf). Cognito allows no required attribute of one's own; the trigger refuses a user without.
  schema {
    name                     = "tenant_id"
    attribute_data_type      = "String"
    mutable                  = true
    required                 = false
    developer_only_attribute = false

    string_attribute_constraints {
      min_length = "1"
      max_length = "64"
    }
  }

  lambda_config {
    pre_token_generation_config {
      lambda_arn     = var.pre_token_arn
      lambda_version = "V3_0" # V2_0 leaves out programs with credentials of their own
    }
  }
}

resource "aws_cognito_user_group" "role" {
  for_each     = { agent = "Finds and answers tickets.", operator = "Deletes tickets and ends others' sign-ins too.", service = "A program." }
  name         = each.key
  description  = each.value
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_resource_server" "this" {
  identifier   = "ticketstream"
  name         = "The HTTP API"
  user_pool_id = aws_cognito_user_pool.this.id

  scope {
    scope_name        = local.scope
    scope_description = "Use the HTTP API as the user who signed in."
  }

  scope {
    scope_name        = "service"
    scope_description = "Act for any tenant, as the workflow does. Give it to no other program."
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = var.domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id
}

# Users of your own directory sign in there. Its attributes never name the tenant: an administrator sets that once.
resource "aws_cognito_identity_provider" "this" {
  for_each          = var.identity_providers
  user_pool_id      = aws_cognito_user_pool.this.id
  provider_name     = each.key
  provider_type     = each.value.type
  provider_details  = each.value.details
  attribute_mapping = each.value.attributes
}
