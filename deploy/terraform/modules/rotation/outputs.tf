output "secrets" {
  description = "ARNs of the rotated secrets, by name."
  value       = { for name, rotation in aws_secretsmanager_secret_rotation.this : name => rotation.secret_id }
}
