# What ECS may do to start a task: nothing that the task itself could use later.

locals {
  start = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"] # knows no resources
        Resource = length(task.images) > 0 ? ["*"] : []
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = task.images
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${var.log_arns[name]}:*"]
      },
      {
        Sid      = "GiveSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = task.secrets
      },
      {
        Sid      = "OpenSecrets"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = length(task.secrets) > 0 ? [var.secrets_key_arn] : []
      },
    ] : statement if length(statement.Resource) > 0
  ] }
}
