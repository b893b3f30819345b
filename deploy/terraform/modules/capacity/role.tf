# What a machine may do: join the cluster, and take its own disk.

resource "aws_iam_role" "machine" {
  name = "${var.name}-machine"
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
  join = [
    {
      Sid    = "Join"
      Effect = "Allow"
      Action = [
        "ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
      ]
      Resource = ["arn:aws:ecs:${var.region}:*:cluster/${var.cluster_name}"]
    },
    {
      Sid      = "BeTold"
      Effect   = "Allow"
      Action   = ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
      Resource = ["arn:aws:ecs:${var.region}:*:container-instance/${var.cluster_name}/*"]
    },
    {
      Sid      = "FindTheCluster" # knows no resources
      Effect   = "Allow"
      Action   = ["ecs:DiscoverPollEndpoint"]
      Resource = ["*"]
    },
  ]

  take = [for statement in [
    {
      Sid      = "TakeTheDisk"
      Effect   = "Allow"
      Action   = ["ec2:AttachVolume"]
      Resource = [try(var.volume.arn, "")]
    },
    {
      Sid       = "ToOneself"
      Effect    = "Allow"
      Action    = ["ec2:AttachVolume"]
      Resource  = ["arn:aws:ec2:${var.region}:*:instance/*"]
      Condition = { StringEquals = { "aws:ResourceTag/Name" = var.name } }
    },
    {
      Sid       = "OpenTheDisk"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = [try(var.volume.key_arn, "")]
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
  ] : statement if var.volume != null]
}

resource "aws_iam_role_policy" "machine" {
  name   = "machine"
  role   = aws_iam_role.machine.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.join, local.take) })
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-machine"
  role = aws_iam_role.machine.name
}
