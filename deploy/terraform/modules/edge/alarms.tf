# CloudFront and its firewall have metrics in us-east-1 only.

locals {
  alarms = length(var.topics) == 0 ? {} : {
    errors = {
      summary    = "CloudFront answers more than one request in twenty with 5xx."
      namespace  = "AWS/CloudFront"
      metric     = "5xxErrorRate"
      dimensions = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }
      statistic  = "Average"
      threshold  = 5
      minutes    = 5
      severity   = "critical"
      runbook    = "edge-errors"
    }
    refused = {
      summary    = "The firewall refuses more than 500 requests a minute."
      namespace  = "AWS/WAFV2"
      metric     = "BlockedRequests"
      dimensions = { WebACL = var.web_acl_metric, Rule = "ALL" }
      statistic  = "Sum"
      threshold  = 500
      minutes    = 5
      severity   = "warning"
      runbook    = "edge-refused"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  provider            = aws.us_east_1
  for_each            = local.alarms
  alarm_name          = "${var.name}-edge-${each.key}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching" # no requests
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
