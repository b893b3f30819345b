# Alarms on the executions and on the queue of those that failed.

locals {
  alarms = {
    failures = {
      summary    = "Executions of the workflow failed and wait to be replayed. Their tickets have no draft."
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = aws_sqs_queue.failures.name }
      statistic  = "Maximum"
      threshold  = 0
      minutes    = 5
      severity   = "warning"
      runbook    = "workflow-failures"
    }
    failing = {
      summary    = "More than ten executions of the workflow fail in a minute."
      namespace  = "AWS/States"
      metric     = "ExecutionsFailed"
      dimensions = { StateMachineArn = local.machine_arn }
      statistic  = "Sum"
      threshold  = 10
      minutes    = 5
      severity   = "critical"
      runbook    = "workflow-failing"
    }
    timed-out = {
      summary    = "Executions of the workflow take longer than their time."
      namespace  = "AWS/States"
      metric     = "ExecutionsTimedOut"
      dimensions = { StateMachineArn = local.machine_arn }
      statistic  = "Sum"
      threshold  = 0
      minutes    = 3
      severity   = "warning"
      runbook    = "workflow-timed-out"
    }
    throttled = {
      summary    = "Step Functions throttles the workflow: tickets wait."
      namespace  = "AWS/States"
      metric     = "ExecutionThrottled"
      dimensions = { StateMachineArn = local.machine_arn }
      statistic  = "Sum"
      threshold  = 0
      minutes    = 5
      severity   = "warning"
      runbook    = "workflow-throttled"
    }
    slow = {
      summary    = "One execution of the workflow in twenty takes more than five minutes."
      namespace  = "AWS/States"
      metric     = "ExecutionTime"
      dimensions = { StateMachineArn = local.machine_arn }
      statistic  = "p95"
      threshold  = 300000
      minutes    = 10
      severity   = "warning"
      runbook    = "workflow-slow"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${local.machine}-${each.key}"
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
  treat_missing_data  = "notBreaching" # no ticket, no execution
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
