output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "log_groups" {
  description = "Names of the log groups, by task."
  value       = { for task, group in aws_cloudwatch_log_group.task : task => group.name }
}

output "log_arns" {
  description = "ARNs of the log groups, by task."
  value       = { for task, group in aws_cloudwatch_log_group.task : task => group.arn }
}

output "metrics_log_group" {
  description = "Log group that the collectors write metrics to."
  value       = aws_cloudwatch_log_group.metrics.name
}

output "metrics_log_arn" {
  description = "ARN of that log group."
  value       = aws_cloudwatch_log_group.metrics.arn
}
