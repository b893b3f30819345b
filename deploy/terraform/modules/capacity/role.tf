# The machine's IAM role: it may join the cluster and attach its own disk.

resource "aws_iam_role" "machine" {
  name                 = "${var.global_name}-machine"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

locals {
  cluster = [
    {
      Sid    = "JoinCluster"
      Effect = "Allow"
      Action = [
        "ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
      ]
      Resource = ["arn:${var.partition}:ecs:${var.region}:*:cluster/${var.cluster_name}"]
    },
    {
      Sid      = "PollForTasks"
      Effect   = "Allow"
      Action   = ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
      Resource = ["arn:${var.partition}:ecs:${var.region}:*:container-instance/${var.cluster_name}/*"]
    },
    {
      Sid      = "DiscoverCluster" # this action has no resource-level permissions
      Effect   = "Allow"
      Action   = ["ecs:DiscoverPollEndpoint"]
      Resource = ["*"]
    },
  ]

  disk = [for statement in [
    {
      Sid      = "AttachVolume"
      Effect   = "Allow"
      Action   = ["ec2:AttachVolume"]
      Resource = [try(var.volume.arn, "")]
    },
    {
      Sid       = "AttachToThisMachine"
      Effect    = "Allow"
      Action    = ["ec2:AttachVolume"]
      Resource  = ["arn:${var.partition}:ec2:${var.region}:*:instance/*"]
      Condition = { StringEquals = { "aws:ResourceTag/Name" = var.name } }
    },
    {
      Sid       = "DecryptVolume"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = [try(var.volume.key_arn, "")]
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
    {
      Sid       = "ReportDisk" # this action has no resource-level permissions
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = try(var.volume.metrics, "") } }
    },
  ] : statement if var.volume != null]
}

resource "aws_iam_role_policy" "machine" {
  name   = "machine"
  role   = aws_iam_role.machine.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.cluster, local.disk) })
}

# Session Manager: a shell on a machine without SSH, and its patch state.
resource "aws_iam_role_policy_attachment" "session_manager" {
  role       = aws_iam_role.machine.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.global_name}-machine"
  role = aws_iam_role.machine.name
}
