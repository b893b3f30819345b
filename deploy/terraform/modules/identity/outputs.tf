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
