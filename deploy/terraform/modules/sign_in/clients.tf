# The applications: the page, in which people sign in through Cognito's pages; programs with a user each; and the workflow.

locals {
  readable = ["email", "custom:tenant_id"]
  writable = ["email"] # a user who could write the tenant could choose it
}

resource "aws_cognito_user_pool_client" "console" {
  name                                 = "console"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = false # a browser keeps none; the code is bound to it by PKCE
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "${aws_cognito_resource_server.this.identifier}/${local.scope}"]
  callback_urls                        = var.callback_urls
  logout_urls                          = var.logout_urls
  supported_identity_providers         = concat(["COGNITO"], sort(keys(aws_cognito_identity_provider.this)))
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  read_attributes                      = local.readable
  write_attributes                     = local.writable
  access_token_validity                = 60
  id_token_validity                    = 60
  refresh_token_validity               = 12 # a working day

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "hours"
  }
}

resource "aws_cognito_user_pool_client" "programs" {
  name                          = "programs"
  user_pool_id                  = aws_cognito_user_pool.this.id
  generate_secret               = true
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  read_attributes               = local.readable
  write_attributes              = local.writable
  access_token_validity         = 60
  id_token_validity             = 60
  refresh_token_validity        = 12

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "hours"
  }
}

# The workflow's own credentials, with which it names the tenant of each ticket. Only the services inside the VPC accept
# tokens of this scope; the REST API doesn't.
resource "aws_cognito_user_pool_client" "workflow" {
  count                                = var.with_workflow ? 1 : 0
  name                                 = "workflow"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = true
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = ["${aws_cognito_resource_server.this.identifier}/service"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  read_attributes                      = local.readable
  write_attributes                     = local.writable
  access_token_validity                = 60

  token_validity_units {
    access_token = "minutes"
  }
}
