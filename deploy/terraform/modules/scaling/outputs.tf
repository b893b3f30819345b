output "max_tasks" {
  value = aws_appautoscaling_target.tasks.max_capacity
}
