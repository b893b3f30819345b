# Backups of the resources with the tag `backup`: tables every hour, tables and the index's disks every day. Each is copied
# to the second region.

locals {
  plans = {
    hourly = { schedule = "cron(5 * * * ? *)", keep_days = 3, tags = ["hourly"] }
    daily  = { schedule = "cron(35 3 * * ? *)", keep_days = 35, tags = ["hourly", "daily"] }
  }
}

module "vault" {
  source           = "../vault"
  name             = var.name
  key_arn          = var.key_arn
  retention_days   = { min = local.plans.hourly.keep_days, max = local.plans.daily.keep_days }
  final_after_days = var.final_after_days
  force_destroy    = var.force_destroy
}

resource "aws_backup_plan" "this" {
  for_each = local.plans
  name     = "${var.name}-${each.key}"

  rule {
    rule_name         = each.key
    target_vault_name = module.vault.name
    schedule          = each.value.schedule
    start_window      = 60  # minutes, the shortest
    completion_window = 180 # minutes

    lifecycle {
      delete_after = each.value.keep_days
    }

    dynamic "copy_action" {
      for_each = var.copy_vault_arn == null ? [] : [var.copy_vault_arn]

      content {
        destination_vault_arn = copy_action.value

        lifecycle {
          delete_after = each.value.keep_days
        }
      }
    }
  }
}

resource "aws_backup_selection" "this" {
  for_each     = local.plans
  name         = "${var.name}-${each.key}"
  plan_id      = aws_backup_plan.this[each.key].id
  iam_role_arn = aws_iam_role.this.arn

  # One of these tags selects a resource.
  dynamic "selection_tag" {
    for_each = each.value.tags

    content {
      type  = "STRINGEQUALS"
      key   = "backup"
      value = "${var.name}-${selection_tag.value}"
    }
  }
}

# AWS Backup makes backups and restores with this role.
resource "aws_iam_role" "this" {
  name        = "${var.global_name}-backup"
  description = "AWS Backup makes backups of ${var.name}, and restores them."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "backup.amazonaws.com" }
      Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } } # AWS Backup doesn't promise to send it
    }]
  })

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = toset(["Backup", "Restores"])
  role       = aws_iam_role.this.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor${each.key}"
}
