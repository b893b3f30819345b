output "urls" {
  description = "Image to where it is pushed."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "arns" {
  description = "Image to the repository's ARN."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
