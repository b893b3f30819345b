# The roles of the endpoint's containers and of training jobs, and the policies of their callers.

locals {
  roles = merge(
    { for name, what in { endpoint = "The encoder's endpoint uses this role." } : name => what if var.endpoint != null },
    { for name, what in { training = "Training jobs use this role." } : name => what if var.training != null },
  )

  interfaces = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:network-interface/*"
  log_groups = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/sagemaker"

  logs = {
    endpoint = ["${local.log_groups}/Endpoints/${local.endpoint}:*"]
    training = ["${local.log_groups}/TrainingJobs:*"]
  }

  # Of every container.
  container = { for name in keys(local.roles) : name => [
    {
      Sid       = "LogInToRegistry"
      Action    = ["ecr:GetAuthorizationToken"] # no resource-level permissions
      Resource  = ["*"]
      Condition = {}
    },
    {
      Sid       = "PullImage"
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource  = [var.image.repository_arn]
      Condition = {}
    },
    {
      Sid       = "WriteLog"
      Action    = concat(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], name == "training" ? ["logs:CreateLogGroup"] : [])
      Resource  = local.logs[name]
      Condition = {}
    },
    {
      Sid       = "WriteMetrics"
      Action    = ["cloudwatch:PutMetricData"] # no resource-level permissions
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = ["/aws/sagemaker/${name == "endpoint" ? "Endpoints" : "TrainingJobs"}"] } }
    },
    {
      Sid       = "EnterVpc"
      Action    = ["ec2:CreateNetworkInterface"]
      Resource  = concat([local.interfaces, var.network.security_group], var.network.subnets)
      Condition = {}
    },
    {
      Sid       = "LeaveVpc"
      Action    = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission"]
      Resource  = [local.interfaces]
      Condition = { ArnEquals = { "ec2:Subnet" = var.network.subnets } }
    },
    {
      Sid       = "LookAtVpc"
      Action    = ["ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]
      Resource  = ["*"] # no resource-level permissions
      Condition = {}
    },
    {
      Sid       = "ReadModels"
      Action    = ["s3:GetObject"]
      Resource  = ["${local.bucket}/${var.models.store}/*"]
      Condition = {}
    },
    {
      # Without this, S3 answers 403 and not 404 for a missing model.
      Sid       = "ListModels"
      Action    = ["s3:ListBucket"]
      Resource  = [local.bucket]
      Condition = { StringLike = { "s3:prefix" = ["${var.models.store}/*"] } }
    },
  ] }

  own = {
    endpoint = [
      {
        Sid       = "DecryptModels"
        Action    = ["kms:Decrypt"]
        Resource  = [var.models.key_arn]
        Condition = local.through_s3
      },
      {
        Sid       = "KeepCapturedCalls"
        Action    = ["s3:PutObject"]
        Resource  = [for capture in try(var.endpoint.capture, null)[*] : "arn:${var.partition}:s3:::${capture.bucket}/${capture.prefix}/*"]
        Condition = {}
      },
      {
        Sid       = "EncryptCapturedCalls"
        Action    = ["kms:GenerateDataKey"]
        Resource  = [for capture in try(var.endpoint.capture, null)[*] : capture.key_arn]
        Condition = local.through_s3
      },
    ]
    training = [
      {
        Sid       = "UseModelsKey"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.models.key_arn]
        Condition = local.through_s3
      },
      {
        Sid       = "EncryptDisk"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.models.key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
      {
        Sid       = "ReadTickets"
        Action    = ["s3:GetObject"]
        Resource  = [for training in var.training[*] : "arn:${var.partition}:s3:::${training.bucket}/${training.prefix}/*"]
        Condition = {}
      },
      {
        Sid       = "ListTickets"
        Action    = ["s3:ListBucket"]
        Resource  = [for training in var.training[*] : "arn:${var.partition}:s3:::${training.bucket}"]
        Condition = { StringLike = { "s3:prefix" = [for training in var.training[*] : "${training.prefix}/*"] } }
      },
      {
        Sid       = "DecryptTickets"
        Action    = ["kms:Decrypt"]
        Resource  = [for training in var.training[*] : training.key_arn if training.key_arn != null]
        Condition = local.through_s3
      },
      {
        Sid       = "WriteLabelModels"
        Action    = ["s3:AbortMultipartUpload", "s3:PutObject"]
        Resource  = ["${local.bucket}/${local.labels}/*"]
        Condition = {}
      },
    ]
  }

  through_s3 = { StringEquals = { "kms:ViaService" = ["s3.${var.region}.amazonaws.com"] } }

  rights = { for name in keys(local.roles) : name => [
    for statement in concat(local.container[name], local.own[name]) : merge(
      { Sid = statement.Sid, Effect = "Allow", Action = statement.Action, Resource = statement.Resource },
      { for key, value in statement : key => value if key == "Condition" && length(statement.Condition) > 0 },
    ) if length(statement.Resource) > 0
  ] }
}

resource "aws_iam_role" "this" {
  for_each             = local.roles
  name                 = "${var.global_name}-${each.key}-sagemaker"
  description          = each.value
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.roles
  name     = "run"
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = local.rights[each.key] })
}

# For programs of yours.
resource "aws_iam_policy" "call" {
  count       = var.endpoint == null ? 0 : 1
  name        = "${var.global_name}-call-encoder"
  description = "Calls the encoder's endpoint."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "CallEncoder"
      Effect   = "Allow"
      Action   = ["sagemaker:InvokeEndpoint"]
      Resource = ["${local.arn}:endpoint/${local.endpoint}"]
    }]
  })
}

# For those who train and register label models; to approve one takes another right.
resource "aws_iam_policy" "train" {
  count       = var.training == null ? 0 : 1
  name        = "${var.global_name}-train-labels"
  description = "Starts training jobs, and registers their models."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TrainLabels"
        Effect   = "Allow"
        Action   = ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"]
        Resource = ["${local.arn}:training-job/${local.labels}-*"]
      },
      {
        Sid       = "GiveRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.this["training"].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
      {
        Sid      = "RegisterLabels"
        Effect   = "Allow"
        Action   = ["sagemaker:CreateModelPackage"]
        Resource = ["${local.arn}:model-package-group/${var.name}-labels", "${local.arn}:model-package/${var.name}-labels/*"]
      },
      {
        Sid      = "KeepFigures"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${local.bucket}/${local.labels}/*"]
      },
      {
        Sid       = "UseModelsKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.models.key_arn]
        Condition = local.through_s3
      },
    ]
  })
}
