# Alarms on each function, and on events that failed three times.

locals {
  alarms = merge(
    { for name, function in var.functions : "${name}-errors" => {
      summary    = "The function ${name} fails."
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = { FunctionName = local.names[name] }
      statistic  = "Sum"
      threshold  = 0
      minutes    = function.alarm_minutes
      severity   = function.severity
      runbook    = "function-errors"
    } if function.alarm_minutes > 0 },
    { for name, function in var.functions : "${name}-throttled" => {
      summary    = "All instances of the function ${name}, or of the account, are busy: calls are refused or wait."
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = { FunctionName = local.names[name] }
      statistic  = "Sum"
      threshold  = 0
      minutes    = 5
      severity   = "warning"
      runbook    = "function-throttled"
    } if function.concurrency != 1 }, # a function that runs once at a time refuses further calls by design
    { for name, function in var.functions : "${name}-slow" => {
      summary    = "The function ${name} takes more than 80 % of its timeout of ${function.timeout_s} s for one call in a hundred."
      namespace  = "AWS/Lambda"
      metric     = "Duration"
      dimensions = { FunctionName = local.names[name] }
      statistic  = "p99"
      threshold  = 800 * function.timeout_s
      minutes    = 10
      severity   = "warning"
      runbook    = "function-slow"
    } },
    { for name, function in var.functions : "${name}-behind" => {
      summary    = "The function ${name} is more than two minutes behind its stream."
      namespace  = "AWS/Lambda"
      metric     = "IteratorAge"
      dimensions = { FunctionName = local.names[name] }
      statistic  = "Maximum"
      threshold  = 120000
      minutes    = 3
      severity   = function.severity
      runbook    = "function-behind"
    } if function.stream },
    { for queue in length(local.asynchronous) > 0 ? [local.queue] : [] : "${var.group}-dead-letters" => {
      summary    = "Events failed three times and wait in the queue ${queue}."
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = queue }
      statistic  = "Maximum"
      threshold  = 0
      minutes    = 5
      severity   = "warning"
      runbook    = "function-dead-letters"
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-function-${replace(each.key, "_", "-")}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "notBreaching" # no call, no failure
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
