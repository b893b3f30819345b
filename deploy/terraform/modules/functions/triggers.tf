# The callers of the functions: the outbox's stream and a schedule, EventBridge, S3, and API Gateway.

locals {
  with_events = length(try(var.raw.event_sources, [])) > 0

  invokers = merge(
    { outbox-schedule = { function = "outbox", principal = "events.amazonaws.com", source_arn = aws_cloudwatch_event_rule.outbox.arn } },
    { for rule in aws_cloudwatch_event_rule.raw : "transformation-events" => { function = "transformation", principal = "events.amazonaws.com", source_arn = rule.arn } },
    { for number, name in try(var.raw.buckets, []) : "transformation-bucket-${number}" => { function = "transformation", principal = "s3.amazonaws.com", source_arn = "arn:${var.partition}:s3:::${name}" } },
    merge([for function, callers in var.callers : {
      for operation, arn in callers : "${function}-${operation}" => { function = function, principal = "apigateway.amazonaws.com", source_arn = arn }
    }]...),
  )
}

# A batch that fails is tried until its records leave the stream after a day, and is halved meanwhile. The order within a
# shard stays. Partial failures aren't reported, because every error is of the whole batch.
resource "aws_lambda_event_source_mapping" "outbox" {
  count                          = var.tables.with_stream ? 1 : 0
  event_source_arn               = var.tables.outbox_stream
  function_name                  = module.lambdas.arns["outbox"]
  starting_position              = "TRIM_HORIZON"
  batch_size                     = 100
  maximum_retry_attempts         = -1
  bisect_batch_on_function_error = true

  filter_criteria {
    filter {
      pattern = jsonencode({ eventName = ["INSERT"], dynamodb = { Keys = { pk = { S = [{ prefix = "outbox/" }] } } } })
    }
  }

  destination_config {
    on_failure {
      destination_arn = module.lambdas.dead_letters
    }
  }
}

# Sends events that woke no function, and measures the outbox.
resource "aws_cloudwatch_event_rule" "outbox" {
  name                = "${var.name}-outbox"
  description         = "Looks into the outbox of the ticket API every minute."
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "outbox" {
  rule = aws_cloudwatch_event_rule.outbox.name
  arn  = module.lambdas.arns["outbox"]
}

resource "aws_cloudwatch_event_rule" "raw" {
  count         = local.with_events ? 1 : 0
  name          = "${var.name}-raw"
  description   = "Raw records to be mapped to tickets."
  event_pattern = jsonencode({ source = var.raw.event_sources })
}

resource "aws_cloudwatch_event_target" "raw" {
  count = local.with_events ? 1 : 0
  rule  = aws_cloudwatch_event_rule.raw[0].name
  arn   = module.lambdas.arns["transformation"]
}
