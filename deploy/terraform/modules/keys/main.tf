# Three KMS keys, so that access to logs doesn't include access to tickets or secrets.

locals {
  keys = {
    data      = { why = "Tickets and vectors at rest: broker disks, index volumes, models.", services = [] }
    secrets   = { why = "Secrets.", services = [] }
    telemetry = { why = "Logs and alerts.", services = keys(local.conditions) }
  }

  # CloudWatch Logs names the log group in the encryption context and no source account.
  conditions = {
    "logs.${var.region}.amazonaws.com" = {
      ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/${var.name}/*" }
    }
    "cloudwatch.amazonaws.com" = { StringEquals = { "aws:SourceAccount" = var.account_id } }
  }

  administer = {
    Sid       = "AccountAdministers"
    Effect    = "Allow"
    Action    = "kms:*"
    Resource  = "*"
    Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
  }
}

resource "aws_kms_key" "this" {
  for_each                = local.keys
  description             = "${var.name}: ${each.value.why}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([local.administer], [for service in each.value.services : {
      Sid       = "Serves${replace(title(split(".", service)[0]), "/[^A-Za-z]/", "")}"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
      Resource  = "*"
      Principal = { Service = service }
      Condition = local.conditions[service]
    }])
  })
}

moved {
  from = aws_kms_key.this["signs"]
  to   = aws_kms_key.this["telemetry"]
}

resource "aws_kms_alias" "this" {
  for_each      = local.keys
  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
