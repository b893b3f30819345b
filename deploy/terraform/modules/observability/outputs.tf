output "topics" {
  description = "ARNs of the SNS topics, by severity."
  value       = { for severity, topic in aws_sns_topic.this : severity => topic.arn }
}

output "alarms" {
  description = "Names of all alarms."
  value       = sort(keys(local.alarms))
}
