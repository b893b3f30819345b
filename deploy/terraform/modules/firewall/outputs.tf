output "arn" {
  description = "ARN of the web ACL, for a distribution."
  value       = aws_wafv2_web_acl.this.arn
}

output "metrics" {
  description = "CloudWatch's name of the web ACL, and those of its rules."
  value       = { acl = local.metric, rules = concat(["flood", "sql", "script"], [for name in keys(local.managed) : "managed-${name}"]) }
}
