output "names" {
  description = "Names of the tables, by their names without the prefix."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "arns" {
  description = "ARNs of the tables, by their names without the prefix."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "outbox_stream" {
  description = "ARN of the stream of TicketMetadata; null if it has none."
  value       = var.outbox_stream ? aws_dynamodb_table.this["TicketMetadata"].stream_arn : null
}
