# The role of each function: its own statements, and what Lambda needs to run it.

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  # Lambda makes a function's network interfaces with its role. The function's code may not.
  interfaces = [
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
  ]

  own = { for name, function in var.functions : name => [for statement in function.statements : merge(
    { Sid = statement.sid, Effect = "Allow", Action = statement.actions, Resource = statement.resources },
    { for key, value in { Condition = statement.condition } : key => value if length(value) > 0 },
  ) if length(statement.resources) > 0] }

  run = { for name, function in var.functions : name => concat(
    [
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this[name].arn}:*"]
      },
      {
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"] # no resource-level permissions
        Resource = ["*"]
      },
      {
        Sid       = "DecryptSettings"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.key_arn]
        Condition = { StringEquals = { "kms:EncryptionContext:aws:lambda:FunctionArn" = local.arns[name] } }
      },
    ],
    [for statement in [
      {
        Sid      = "EnterNetwork"
        Effect   = "Allow"
        Action   = local.interfaces # no resource-level permissions that Lambda could use
        Resource = ["*"]
      },
      {
        Sid       = "OnlyLambdaEntersNetwork"
        Effect    = "Deny"
        Action    = local.interfaces
        Resource  = ["*"]
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.arns[name] } }
      },
    ] : statement if function.security_group != null],
    [for statement in [
      {
        Sid      = "WriteDeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = aws_sqs_queue.dead_letters[*].arn
      },
      {
        Sid       = "EncryptDeadLetters"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.key_arn]
        Condition = { StringLike = { "kms:ViaService" = ["sqs.*.amazonaws.com"] } }
      },
    ] : statement if function.asynchronous],
  ) }
}

resource "aws_iam_role" "this" {
  for_each           = var.functions
  name               = "${var.global_name}-${replace(each.key, "_", "-")}-function"
  description        = "The function ${each.key} uses this role."
  assume_role_policy = local.trust

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "this" {
  for_each = var.functions
  name     = "run"
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = concat(local.own[each.key], local.run[each.key]) })
}
