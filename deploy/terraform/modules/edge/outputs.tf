output "url" {
  description = "URL of the page and the API."
  value       = "https://${var.domain}"
}

output "distribution" {
  description = "Id and domain name of the distribution."
  value       = { id = aws_cloudfront_distribution.this.id, domain = aws_cloudfront_distribution.this.domain_name }
}

output "bucket" {
  description = "Name of the bucket of the page."
  value       = aws_s3_bucket.pages.bucket
}

output "alarms" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}
