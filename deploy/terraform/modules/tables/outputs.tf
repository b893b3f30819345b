output "names" {
  description = "Names of the tables, by their names without the prefix."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "arns" {
  description = "ARNs of the tables, by their names without the prefix."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "streams" {
  description = "ARNs of the streams of `streams`, by table."
  value       = { for name in var.streams : name => aws_dynamodb_table.this[name].stream_arn }
}
