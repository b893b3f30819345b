# The tables of the HTTP services: created here, or the copies that a lost region has left (docs/disaster-recovery.md).

locals {
  table_list = ["Feedback", "TicketMetadata", "Tickets", "UserSessions"]
  copied     = { for name in local.table_list : name => "${local.table_prefix}${name}" }

  copied_arns = { for name, full in local.copied : name => "arn:${local.partition}:dynamodb:${var.region}:${var.account_id}:table/${full}" }
  table_names = merge(concat([for names in [local.copied] : names if var.existing_tables != null], module.tables[*].names)...)
  table_arns  = merge(concat([for arns in [local.copied_arns] : arns if var.existing_tables != null], module.tables[*].arns)...)

  tables_key_arn = var.existing_tables == null ? module.keys.arns["data"] : var.existing_tables.key_arn
}
