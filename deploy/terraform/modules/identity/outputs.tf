output "task_roles" {
  description = "Task to the role it works with."
  value       = { for task, role in aws_iam_role.task : task => role.arn }
  depends_on  = [aws_iam_role_policy.task] # a role without its rights is of no use to a task
}

output "execution_roles" {
  description = "Task to the role it is started with."
  value       = { for task, role in aws_iam_role.execution : task => role.arn }
  depends_on  = [aws_iam_role_policy.execution]
}
