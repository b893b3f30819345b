output "arns" {
  description = "Name to ARN, for `secrets` of a task definition."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}
