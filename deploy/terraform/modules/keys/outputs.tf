output "arns" {
  description = "Kind (data, secrets, signs) to the key's ARN."
  value       = { for kind, key in aws_kms_key.this : kind => key.arn }
}
