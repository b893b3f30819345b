# Each alarm is on a metric that exists, has a subscriber, and has a row in the runbook (docs/deploy-aws.md).

locals {
  alarms = merge(local.kafka, local.workers, local.index, local.services, local.stores, local.copies, local.background)
}

resource "aws_sns_topic" "this" {
  for_each          = toset(["critical", "warning", "info"])
  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = aws_sns_topic.this
  arn      = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, service in { Alarms = "cloudwatch", Budgets = "budgets" } : {
      Sid       = "Publish${name}"
      Effect    = "Allow"
      Action    = "sns:Publish"
      Resource  = each.value.arn
      Principal = { Service = "${service}.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = { for pair in flatten([for severity, mails in var.subscribers : [for mail in mails : { severity = severity, mail = mail }]]) : "${pair.severity}-${pair.mail}" => pair }
  topic_arn = aws_sns_topic.this[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.mail
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this[each.value.severity].arn]
  ok_actions          = [aws_sns_topic.this[each.value.severity].arn]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
