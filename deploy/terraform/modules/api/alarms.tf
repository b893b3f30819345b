# Alarms on the API as its callers see it.

locals {
  alarms = {
    errors = {
      summary   = "The API answers more than ten requests a minute with 5xx."
      metric    = "5XXError"
      statistic = "Sum"
      threshold = 10
      minutes   = 5
      severity  = "critical"
      runbook   = "api-errors"
    }
    slow = {
      summary   = "One request in twenty takes the API more than ten seconds."
      metric    = "Latency"
      statistic = "p95"
      threshold = 10000
      minutes   = 10
      severity  = "warning"
      runbook   = "api-slow"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-api-${each.key}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  dimensions          = { ApiName = var.name, Stage = local.stage }
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching" # no requests
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
