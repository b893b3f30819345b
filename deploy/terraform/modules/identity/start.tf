# Permissions of the execution roles. A running task can't use them.

locals {
  start = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"] # no resource-level permissions
        Resource = length(task.images) > 0 ? ["*"] : []
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = task.images
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${var.log_arns[name]}:*"]
      },
      {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = task.secrets
      },
      {
        Sid      = "DecryptSecrets"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = length(task.secrets) > 0 ? [var.secrets_key_arn] : []
      },
    ] : statement if length(statement.Resource) > 0
  ] }
}
