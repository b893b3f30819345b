output "provider_name" {
  description = "Capacity provider, where ECS manages the machines."
  value       = one(aws_ecs_capacity_provider.this[*].name)
}

output "role_name" {
  value = aws_iam_role.machine.name
}
