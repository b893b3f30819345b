mock_provider "aws" {}

variables {
  account_id      = "123456789012"
  function        = { arn = "arn:aws:lambda:us-east-1:123456789012:function:rotation", role = "rotation" }
  secrets         = { index-api-key = "arn:aws:secretsmanager:us-east-1:123456789012:secret:index-AbCdEf" }
  brokers_secrets = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_0-AbCdEf"]
  services        = ["arn:aws:ecs:us-east-1:123456789012:service/prod/qdrant-a"]
  key_arn         = "arn:aws:kms:us-east-1:123456789012:key/one"
  days            = 30
}

run "rights" {
  command = plan

  assert {
    condition = jsonencode({ for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => statement.Resource }) == jsonencode({
      RotateSecrets       = values(var.secrets)
      WriteBrokersSecrets = var.brokers_secrets
      UseSecretsKey       = [var.key_arn]
      RestartServices     = var.services
    })
    error_message = "The function may use these secrets and services, their key, and nothing else."
  }

  assert {
    condition = alltrue([for name, permission in aws_lambda_permission.this :
      permission.principal == "secretsmanager.amazonaws.com" && permission.source_arn == var.secrets[name] && permission.source_account == var.account_id
    ])
    error_message = "Only Secrets Manager may call the function, and only for these secrets."
  }

  assert {
    condition     = aws_secretsmanager_secret_rotation.this["index-api-key"].rotation_rules[0].automatically_after_days == 30
    error_message = "The secret must be rotated every 30 days."
  }
}

run "refuses_no_schedule" {
  command         = plan
  expect_failures = [var.days]

  variables {
    days = 0
  }
}
