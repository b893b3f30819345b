# Alarms on the endpoint.

locals {
  dimensions = { EndpointName = local.endpoint, VariantName = local.variant }

  alarms = { for name, alarm in {
    errors = {
      summary   = "The encoder's endpoint answers more than ten calls a minute with 5xx."
      namespace = "AWS/SageMaker"
      metric    = "Invocation5XXErrors"
      statistic = "Sum"
      threshold = 10
      minutes   = 5
      severity  = "warning"
      runbook   = "encoder-errors"
    }
    slow = {
      summary   = "The encoder takes more than two seconds for one call in twenty."
      namespace = "AWS/SageMaker"
      metric    = "ModelLatency"
      statistic = "p95"
      threshold = 2000000 # microseconds
      minutes   = 10
      severity  = "warning"
      runbook   = "encoder-slow"
    }
    memory = {
      summary   = "The encoder uses more than 90 % of a machine's memory; at the limit it is killed."
      namespace = "/aws/sagemaker/Endpoints"
      metric    = "MemoryUtilization"
      statistic = "Maximum"
      threshold = 90
      minutes   = 10
      severity  = "warning"
      runbook   = "encoder-memory"
    }
  } : name => alarm if var.endpoint != null }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${local.endpoint}-${each.key}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = local.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching" # no call
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
