# The tables of the HTTP services: created here, or the copies that a lost region has left (docs/disaster-recovery.md).

locals {
  table_list = ["Feedback", "TicketMetadata", "Tickets", "UserSessions"]
  copied     = { for name in local.table_list : name => "${local.table_prefix}${name}" }

  table_names    = var.existing_tables == null ? merge(module.tables[*].names...) : local.copied
  table_arns     = var.existing_tables == null ? merge(module.tables[*].arns...) : { for name, full in local.copied : name => "arn:${local.partition}:dynamodb:${var.region}:${var.account_id}:table/${full}" }
  tables_key_arn = var.existing_tables == null ? module.keys.arns["data"] : var.existing_tables.key_arn
}
