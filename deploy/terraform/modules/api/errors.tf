# The API's own errors, as problem documents like those of the services (docs/api-security.md). None quotes a value.

locals {
  problems = {
    UNAUTHORIZED                 = { status = 401, type = "unauthenticated", title = "A valid access token is required" }
    ACCESS_DENIED                = { status = 403, type = "forbidden", title = "The caller may not do this" }
    INVALID_API_KEY              = { status = 403, type = "forbidden", title = "The caller may not do this" }
    MISSING_AUTHENTICATION_TOKEN = { status = 404, type = "not-found", title = "Not found" } # no such path or method
    BAD_REQUEST_BODY             = { status = 422, type = "invalid", title = "The request is not valid" }
    BAD_REQUEST_PARAMETERS       = { status = 422, type = "invalid", title = "The request is not valid" }
    REQUEST_TOO_LARGE            = { status = 413, type = "too-large", title = "The request is too large" }
    THROTTLED                    = { status = 429, type = "too-many-requests", title = "Too many requests" }
    QUOTA_EXCEEDED               = { status = 429, type = "too-many-requests", title = "Too many requests" }
    INTEGRATION_TIMEOUT          = { status = 504, type = "timeout", title = "The answer took too long" }
    INTEGRATION_FAILURE          = { status = 503, type = "unavailable", title = "The service is unavailable" }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each      = local.problems
  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = tostring(each.value.status)

  response_parameters = merge(
    { "gatewayresponse.header.Content-Type" = "'application/problem+json'" },
    { for name in ["gatewayresponse.header.WWW-Authenticate"] : name => "'Bearer'" if each.value.status == 401 },
    { for name in ["gatewayresponse.header.Retry-After"] : name => "'1'" if contains([429, 503], each.value.status) },
  )

  response_templates = {
    "application/json" = jsonencode({
      type     = "urn:ticketstream:problem:${each.value.type}"
      title    = each.value.title
      status   = each.value.status
      instance = "urn:ticketstream:request:$context.requestId"
    })
  }
}
