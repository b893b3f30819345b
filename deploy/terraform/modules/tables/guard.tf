# Where data is kept, a plan that destroys or replaces a table is refused. Tickets that are not yet in Kafka, and agents'
# verdicts, exist nowhere else.

resource "terraform_data" "keeps_tables" {
  count = var.keep_data ? 1 : 0

  lifecycle {
    prevent_destroy = true

    replace_triggered_by = [
      aws_dynamodb_table.this["Feedback"].id, aws_dynamodb_table.this["TicketMetadata"].id,
      aws_dynamodb_table.this["Tickets"].id, aws_dynamodb_table.this["UserSessions"].id,
    ]
  }
}
