output "arn" {
  value = aws_ecs_cluster.this.arn
}

output "name" {
  value = aws_ecs_cluster.this.name
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
  value = aws_cloudwatch_log_group.metrics.name
}

output "metrics_log_arn" {
  value = aws_cloudwatch_log_group.metrics.arn
}
