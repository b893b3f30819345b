# The REST API: the operations of the services' OpenAPI documents under /api/, each with a token of the user pool.

locals {
  document   = jsondecode(file("${path.module}/operations.json"))
  operations = local.document.operations
  stage      = "live"

  # Every path and those above it, by the number of its segments.
  paths    = distinct([for name in keys(local.operations) : split(" ", name)[1]])
  segments = { for path in local.paths : path => compact(split("/", path)) }
  prefixes = [for depth in range(1, 6) : toset([
    for path, parts in local.segments : "/${join("/", slice(parts, 0, depth))}" if length(parts) >= depth
  ])]

  resource_ids = merge(
    { for path, resource in aws_api_gateway_resource.depth_1 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.depth_2 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.depth_3 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.depth_4 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.depth_5 : path => resource.id },
  )

  methods = { for name, operation in local.operations : name => merge(operation, {
    verb = split(" ", name)[0]
    path = split(" ", name)[1]
    # The page calls the other operations, and has no key.
    keyed = startswith(split(" ", name)[1], "/api/v1/tickets") && operation.service == "tickets" && length(var.programs) > 0
  }) }

  # answers.tf has the streamed one.
  unstreamed = { for name, method in local.methods : name => method if !(var.stream_answers && name == local.answers) }
}

resource "aws_api_gateway_rest_api" "this" {
  name        = var.name
  description = "Search, answers and the ticket API."

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_authorizer" "pool" {
  name            = "pool"
  type            = "COGNITO_USER_POOLS"
  rest_api_id     = aws_api_gateway_rest_api.this.id
  provider_arns   = [var.pool_arn]
  identity_source = "method.request.header.Authorization"
}

resource "aws_api_gateway_request_validator" "this" {
  name                        = "body-and-parameters"
  rest_api_id                 = aws_api_gateway_rest_api.this.id
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_model" "this" {
  for_each     = local.document.models
  rest_api_id  = aws_api_gateway_rest_api.this.id
  name         = each.key
  content_type = "application/json"
  schema       = jsonencode(each.value)
}

# A method needs a token with one of the scopes: an ID token has none. The services check the token again.
resource "aws_api_gateway_method" "this" {
  for_each             = local.unstreamed
  rest_api_id          = aws_api_gateway_rest_api.this.id
  resource_id          = local.resource_ids[each.value.path]
  http_method          = each.value.verb
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = aws_api_gateway_authorizer.pool.id
  authorization_scopes = var.scopes
  api_key_required     = each.value.keyed
  request_validator_id = aws_api_gateway_request_validator.this.id
  request_models       = each.value.model == null ? null : { "application/json" = aws_api_gateway_model.this[each.value.model].name }
  request_parameters   = { for name in each.value.placeholders : "method.request.path.${name}" => true }
}

resource "aws_api_gateway_integration" "this" {
  for_each                = local.unstreamed
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = local.resource_ids[each.value.path]
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = each.value.service == "rag" ? "HTTP_PROXY" : "AWS_PROXY"
  integration_http_method = each.value.service == "rag" ? each.value.verb : "POST"
  uri                     = each.value.service == "rag" ? "${var.rag_url}${each.value.path}" : var.functions[each.value.service]
  connection_type         = each.value.service == "rag" ? local.connection.type : "INTERNET"
  connection_id           = each.value.service == "rag" ? local.connection.id : null
  timeout_milliseconds    = 29000
  request_parameters      = each.value.service == "rag" ? { for name in each.value.placeholders : "integration.request.path.${name}" => "method.request.path.${name}" } : null
}

# A deployment is a copy of the API: every change above needs a new one.
resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  depends_on  = [aws_api_gateway_integration.this, aws_cloudformation_stack.answers, aws_api_gateway_gateway_response.this]

  triggers = {
    files     = sha1(join("", [for file in sort(fileset(path.module, "*.{tf,json}")) : filesha1("${path.module}/${file}")]))
    arguments = sha1(jsonencode([var.scopes, var.rag_url, var.functions, local.connection, var.pool_arn, keys(var.programs), var.stream_answers]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:Nothing is cached: each answer depends on its caller's rights
  #checkov:skip=CKV2_AWS_51:The services behind it check the caller's token; a certificate would identify API Gateway alone
  #checkov:skip=CKV2_AWS_29:A firewall takes the stage's ARN from outside, where the scan doesn't see it; behind the API the services bound requests and bodies
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = local.stage
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id = "$context.requestId"
      at_ms      = "$context.requestTimeEpoch"
      route      = "$context.httpMethod $context.resourcePath"
      status     = "$context.status"
      latency_ms = "$context.responseLatency"
      service_ms = "$context.integration.latency"
      first_ms   = "$context.integration.timeToFirstContent" # of a streamed answer
      bytes      = "$context.responseLength"
      user       = "$context.authorizer.claims.sub"
      key        = "$context.identity.apiKeyId"
      error      = "$context.error.responseType"
      trace_id   = "$context.xrayTraceId"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:Nothing is cached: each answer depends on its caller's rights
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"
  depends_on  = [aws_cloudwatch_log_group.errors] # API Gateway would create it

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false # it would log tickets
    throttling_rate_limit  = var.limits.rate
    throttling_burst_limit = var.limits.burst
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:A month is enough, because the log holds no ticket text and nothing that is needed later
  name              = "/${var.name}/api"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}
