output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "failures_url" {
  description = "URL of the queue of failed executions, for `ticketstream workflow`."
  value       = aws_sqs_queue.failures.url
}

output "failures_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.failures.arn
}

output "decisions_arn" {
  description = "ARN of the topic of decisions."
  value       = aws_sns_topic.this.arn
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value = { for name, alarm in local.alarms : "${local.machine}-${name}" => {
    namespace  = alarm.namespace
    metric     = alarm.metric
    dimensions = alarm.dimensions
    statistic  = alarm.statistic
    threshold  = alarm.threshold
    severity   = alarm.severity
    runbook    = alarm.runbook
  } }
}

output "alarms" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}
