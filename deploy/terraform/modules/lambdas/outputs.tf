output "arns" {
  description = "ARNs of the functions, by name."
  value       = { for name, function in aws_lambda_function.this : name => function.arn }
}

output "invoke_arns" {
  description = "Invocation ARNs of the functions, for API Gateway, by name."
  value       = { for name, function in aws_lambda_function.this : name => function.invoke_arn }
}

output "roles" {
  description = "Names of the functions' roles, by name."
  value       = { for name, role in aws_iam_role.this : name => role.name }
}

output "dead_letters" {
  description = "ARN of the queue of events that failed three times; null if no function is called asynchronously."
  value       = one(aws_sqs_queue.dead_letters[*].arn)
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value = { for name, alarm in local.alarms : "${var.name}-function-${replace(name, "_", "-")}" => {
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
