# The method of answers, whose responses are streamed. The provider can't set that before version 6.25 and CloudFormation
# can, so a stack of it holds this method. It is like the others in all else.

locals {
  answers = "POST /api/v1/answers"
  asked   = local.methods[local.answers]
}

resource "aws_cloudformation_stack" "answers" {
  #checkov:skip=CKV_AWS_124:Terraform waits for the stack and says why it failed, so nobody has to be told
  count = var.stream_answers ? 1 : 0
  name  = "${var.name}-answers"

  parameters = {
    Api        = aws_api_gateway_rest_api.this.id
    Resource   = local.resource_ids[local.asked.path]
    Authoriser = aws_api_gateway_authorizer.pool.id
    Validator  = aws_api_gateway_request_validator.this.id
    Link       = local.connection.id
  }

  template_body = jsonencode({
    Description = "The method of answers, with a streamed response."
    Parameters  = { for name in ["Api", "Resource", "Authoriser", "Validator", "Link"] : name => { Type = "String" } }

    Resources = {
      Answers = {
        Type = "AWS::ApiGateway::Method"
        Properties = {
          RestApiId           = { Ref = "Api" }
          ResourceId          = { Ref = "Resource" }
          HttpMethod          = local.asked.verb
          AuthorizationType   = "COGNITO_USER_POOLS"
          AuthorizerId        = { Ref = "Authoriser" }
          AuthorizationScopes = var.scopes
          ApiKeyRequired      = local.asked.keyed
          RequestValidatorId  = { Ref = "Validator" }
          RequestModels       = { "application/json" = aws_api_gateway_model.this[local.asked.model].name }

          Integration = {
            Type                  = "HTTP_PROXY"
            IntegrationHttpMethod = local.asked.verb
            Uri                   = "${var.rag_url}${local.asked.path}"
            ConnectionType        = local.connection.type
            ConnectionId          = { Ref = "Link" }
            ResponseTransferMode  = "STREAM"
            TimeoutInMillis       = 65000 # longer than the longest answer (TICKETS_RAG__TIMEOUT_S, 60 s)
          }
        }
      }
    }
  })
}
