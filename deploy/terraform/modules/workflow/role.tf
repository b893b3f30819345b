# The state machine's role: its four functions, its topic, its log and its traces.

resource "aws_iam_role" "this" {
  name                 = "${var.global_name}-workflow"
  description          = "The workflow of new tickets uses this role."
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = local.machine_arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "run"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CallSteps"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = values(var.functions)
      },
      {
        Sid      = "TellDecisions"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [aws_sns_topic.this.arn]
      },
      {
        Sid       = "EncryptDecisions"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.key_arn]
        Condition = { StringLike = { "kms:ViaService" = ["sns.*.amazonaws.com"] } }
      },
      {
        Sid    = "DeliverLogs"
        Effect = "Allow"
        Action = [ # no resource-level permissions
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        Resource = ["*"]
      },
      {
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"] # likewise
        Resource = ["*"]
      },
    ]
  })
}
