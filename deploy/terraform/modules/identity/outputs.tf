output "task_roles" {
  description = "Task roles, by task."
  value       = { for task, role in aws_iam_role.task : task => role.arn }
  depends_on  = [aws_iam_role_policy.task] # a task must not start before its role has permissions
}

output "execution_roles" {
  description = "Execution roles, by task."
  value       = { for task, role in aws_iam_role.execution : task => role.arn }
  depends_on  = [aws_iam_role_policy.execution]
}

output "producer_policy" {
  description = "ARN of the policy for your producers; null where Kafka doesn't authenticate with IAM."
  value       = one(aws_iam_policy.producer[*].arn)
}
