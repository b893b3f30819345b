output "issuer" {
  description = "Issuer of the tokens, for TICKETS_AUTH__ISSUER."
  value       = "https://${aws_cognito_user_pool.this.endpoint}"
}

output "pool" {
  description = "Id and ARN of the pool."
  value       = { id = aws_cognito_user_pool.this.id, arn = aws_cognito_user_pool.this.arn }
}

output "client_ids" {
  description = "Ids of the applications: the page (console), programs, and the workflow, if there is one."
  value = merge(
    { console = aws_cognito_user_pool_client.console.id, programs = aws_cognito_user_pool_client.programs.id },
    { for client in aws_cognito_user_pool_client.workflow : "workflow" => client.id },
  )
}

output "scopes" {
  description = "Scopes; an access token for the API needs one of them: the API's own, or that of a sign-in by password."
  value       = ["${aws_cognito_resource_server.this.identifier}/${local.scope}", "aws.cognito.signin.user.admin"]
}

output "domain" {
  description = "Prefix of the domain of Cognito's sign-in pages."
  value       = aws_cognito_user_pool_domain.this.domain
}
