output "name" {
  value = var.name
}

output "task_definition_arn" {
  value = aws_ecs_task_definition.this.arn
}

output "rendered" {
  description = "The task definition, for `aws ecs register-task-definition --cli-input-json`."
  value       = local.task
}
