output "arns" {
  description = "ARNs of the keys, by purpose."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
