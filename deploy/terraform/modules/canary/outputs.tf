output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value = merge(module.lambdas.drawn, { for name, alarm in local.alarms : "${var.name}-canary-${name}" => {
    namespace  = alarm.namespace
    metric     = alarm.metric
    dimensions = alarm.dimensions
    statistic  = alarm.statistic
    threshold  = alarm.threshold
    severity   = alarm.severity
    runbook    = alarm.runbook
    comparison = alarm.comparison
  } })
}

output "alarms" {
  description = "Names of the alarms."
  value       = concat(module.lambdas.alarms, [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])
}
