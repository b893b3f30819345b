# The budget of an environment. AWS finds its resources by tags, which must be cost allocation tags (docs/deploy-aws.md).

locals {
  notices = {
    "80 % spent"     = { type = "ACTUAL", percent = 80, severity = "info" }
    "100 % spent"    = { type = "ACTUAL", percent = 100, severity = "warning" }
    "100 % foreseen" = { type = "FORECASTED", percent = 100, severity = "warning" }
  }
}

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.limit_usd)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:application$ticketstream", format("user:environment$%s", var.environment)]
  }

  dynamic "notification" {
    for_each = local.notices

    content {
      notification_type         = notification.value.type
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [var.topics[notification.value.severity]]
    }
  }
}
