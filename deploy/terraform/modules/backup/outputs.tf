output "vault" {
  description = "Name of the vault."
  value       = module.vault.name
}

output "role_arn" {
  description = "ARN of the role to restore with."
  value       = aws_iam_role.this.arn
}
