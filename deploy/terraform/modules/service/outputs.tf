output "name" {
  description = "Name of the service, once it exists."
  value       = var.name
  depends_on  = [aws_ecs_service.this] # AWS refuses to scale a service that it doesn't know
}

output "task_definition_arn" {
  description = "ARN of the task definition."
  value       = aws_ecs_task_definition.this.arn
}

output "rendered" {
  description = "The task definition, for `aws ecs register-task-definition --cli-input-json`."
  value       = local.task
}
