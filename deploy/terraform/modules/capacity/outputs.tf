output "provider_name" {
  description = "Capacity provider, if ECS manages the machines; else null."
  value       = one(aws_ecs_capacity_provider.this[*].name)
}

output "role_name" {
  description = "Name of the machines' role."
  value       = aws_iam_role.machine.name
}
