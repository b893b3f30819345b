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

output "alarms" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}
