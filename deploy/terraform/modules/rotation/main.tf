# Scheduled rotation of secrets by the function `rotation` (docs/lambdas.md), and what its role may do for it.

locals {
  statements = [
    for statement in [
      {
        Sid      = "RotateSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
        Resource = values(var.secrets)
      },
      {
        # MSK reads its users' passwords from these.
        Sid      = "WriteBrokersSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        Resource = var.brokers_secrets
      },
      {
        Sid      = "UseSecretsKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.key_arn]
      },
      {
        Sid      = "RestartServices"
        Effect   = "Allow"
        Action   = ["ecs:UpdateService"]
        Resource = var.services
      },
      {
        Sid      = "ChangeCacheUsers"
        Effect   = "Allow"
        Action   = ["elasticache:DescribeUsers", "elasticache:ModifyUser"]
        Resource = var.cache_users
      },
    ] : statement if length(statement.Resource) > 0
  ]
}

resource "aws_iam_role_policy" "this" {
  name   = "rotate"
  role   = var.function.role
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

# Secrets Manager calls the function for these secrets only.
resource "aws_lambda_permission" "this" {
  for_each       = var.secrets
  statement_id   = "rotate-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = var.function.arn
  principal      = "secretsmanager.amazonaws.com"
  source_account = var.account_id
  source_arn     = each.value
}

resource "aws_secretsmanager_secret_rotation" "this" {
  for_each            = var.secrets
  secret_id           = each.value
  rotation_lambda_arn = var.function.arn
  rotate_immediately  = false # the apply that creates the index must not restart it
  depends_on          = [aws_iam_role_policy.this, aws_lambda_permission.this]

  rotation_rules {
    automatically_after_days = var.days
  }
}
