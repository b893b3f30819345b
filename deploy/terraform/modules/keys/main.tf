# A KMS key for each purpose, so that access to logs doesn't include access to tickets or secrets.

locals {
  keys = {
    data      = { why = "Tickets and vectors at rest: broker disks, index volumes, models.", services = [], via = [] }
    secrets   = { why = "Secrets.", services = [], via = ["secretsmanager"] }
    telemetry = { why = "Logs and alerts.", services = keys(local.conditions), via = [] }
    events    = { why = "Events and verdicts in S3.", services = [], via = ["s3"] }
    backup    = { why = "Backups of tables and disks.", services = [], via = ["backup", "dynamodb", "ec2"] }
  }

  # CloudWatch Logs names the log group in the encryption context and no source account.
  conditions = {
    "logs.${var.region}.amazonaws.com" = {
      ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [
        for group in ["/${var.name}/*", "aws-waf-logs-${var.name}-*"] : "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${group}"
      ] }
    }
    "budgets.amazonaws.com"    = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    "cloudwatch.amazonaws.com" = { StringEquals = { "aws:SourceAccount" = var.account_id } }
  }

  account    = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
  administer = { Sid = "AccountAdministers", Effect = "Allow", Action = "kms:*", Resource = "*", Principal = local.account }

  # A key with `via` serves those services alone: with rights in IAM too, nobody decrypts with it by a call of KMS.
  manage = {
    Sid       = "AccountAdministers"
    Effect    = "Allow"
    Resource  = "*"
    Principal = local.account
    Action = [
      "kms:CancelKeyDeletion", "kms:DescribeKey", "kms:DisableKey*", "kms:EnableKey*", "kms:Get*", "kms:List*", "kms:PutKeyPolicy",
      "kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
      "kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
  }

  use = { for purpose, key in local.keys : purpose => [
    {
      Sid       = "UseThroughServices"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Resource  = "*"
      Principal = local.account
      Condition = { StringEquals = { "kms:ViaService" = [for service in key.via : "${service}.${var.region}.amazonaws.com"] } }
    },
    {
      Sid       = "GrantToServices"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = "*"
      Principal = local.account
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
  ] }
}

resource "aws_kms_key" "this" {
  for_each                = { for purpose, key in local.keys : purpose => key if contains(var.purposes, purpose) }
  description             = "${var.name}: ${each.value.why}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for statement in [local.administer] : statement if length(each.value.via) == 0],
      [for statement in concat([local.manage], local.use[each.key]) : statement if length(each.value.via) > 0],
      [for service in each.value.services : {
        Sid       = "Serves${replace(title(split(".", service)[0]), "/[^A-Za-z]/", "")}"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
        Resource  = "*"
        Principal = { Service = service }
        Condition = local.conditions[service]
      }],
    )
  })
}

moved {
  from = aws_kms_key.this["signs"]
  to   = aws_kms_key.this["telemetry"]
}

resource "aws_kms_alias" "this" {
  for_each      = aws_kms_key.this
  name          = "alias/${var.name}-${each.key}"
  target_key_id = each.value.key_id
}
