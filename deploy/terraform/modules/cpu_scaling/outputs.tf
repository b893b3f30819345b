output "max_tasks" {
  description = "Maximum number of tasks."
  value       = aws_appautoscaling_target.tasks.max_capacity
}
