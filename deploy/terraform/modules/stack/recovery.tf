# The tables of the HTTP services: created here, or the copies that a lost region has left (docs/disaster-recovery.md).

locals {
  table_list = ["Feedback", "TicketMetadata", "Tickets", "UserSessions"]
  copied     = { for name in local.table_list : name => "${local.table_prefix}${name}" }

  copied_arns = { for name, full in local.copied : name => "arn:${local.partition}:dynamodb:${var.region}:${var.account_id}:table/${full}" }
  table_names = merge(concat([for names in [local.copied] : names if var.existing_tables != null], module.tables[*].names)...)
  table_arns  = merge(concat([for arns in [local.copied_arns] : arns if var.existing_tables != null], module.tables[*].arns)...)

  tables_key_arn = var.existing_tables == null ? module.keys.arns["data"] : var.existing_tables.key_arn

  # Tables whose stream wakes a function.
  streamed = local.with_functions ? concat(["TicketMetadata"], var.workflow == null ? [] : ["Tickets"]) : []

  copied_streams = { for name, table in data.aws_dynamodb_table.copy : name => table.stream_arn if table.stream_enabled }
  table_streams  = merge(concat([local.copied_streams], module.tables[*].streams)...)
}

# DynamoDB names the stream of a copy. Each copy of a global table has one; a table that was restored from a backup has none.
data "aws_dynamodb_table" "copy" {
  for_each = var.existing_tables == null ? toset([]) : toset(local.streamed)
  name     = local.copied[each.key]
}
