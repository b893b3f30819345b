# The DynamoDB tables of the HTTP services. connectors/ticket_store/tables.py, connectors/feedback/tables.py and
# connectors/sessions/dynamodb.py define the keys, and a test compares them with these.

locals {
  tables = {
    Tickets        = { hash = "key", range = null, ttl = null, indexes = local.indexes }
    TicketMetadata = { hash = "pk", range = "sk", ttl = "expires_s", indexes = {} }
    UserSessions   = { hash = "session_id", range = null, ttl = "expires_s", indexes = {} }
    Feedback       = { hash = "pk", range = "sk", ttl = "expires_s", indexes = {} }
  }

  # Hash keys and copied attributes; the range key of each is list_order.
  indexes = {
    by_time     = { hash = "tenant_id", copies = ["summary"] }
    by_status   = { hash = "tenant_status", copies = ["summary"] }
    by_customer = { hash = "tenant_customer", copies = ["summary", "tenant_status"] }
  }

  attributes = { for name, table in local.tables : name => concat(
    [table.hash], table.range == null ? [] : [table.range],
    [for index in table.indexes : index.hash], length(table.indexes) > 0 ? ["list_order"] : [],
  ) }
}

# A table's copies are made from its stream. The stream of TicketMetadata also wakes the function that relays the outbox, and
# that of Tickets the one that starts the workflow. A service's relay polls its outbox, in TicketMetadata or Feedback.
resource "aws_dynamodb_table" "this" {
  for_each                    = local.tables
  name                        = "${var.prefix}${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash
  range_key                   = each.value.range
  deletion_protection_enabled = var.keep_data
  tags                        = { backup = "${var.prefix}hourly" }
  stream_enabled              = var.replica != null || contains(var.streams, each.key)
  stream_view_type            = var.replica != null ? "NEW_AND_OLD_IMAGES" : contains(var.streams, each.key) ? "KEYS_ONLY" : null

  dynamic "attribute" {
    for_each = toset(local.attributes[each.key])

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash
      range_key          = "list_order"
      projection_type    = "INCLUDE"
      non_key_attributes = global_secondary_index.value.copies
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl == null ? [] : [each.value.ttl]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  # A copy in a second region, a second or so behind, which takes writes too (a global table).
  dynamic "replica" {
    for_each = var.replica[*]

    content {
      region_name            = replica.value.region
      kms_key_arn            = replica.value.key_arn
      point_in_time_recovery = true
      propagate_tags         = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arn
  }
}
