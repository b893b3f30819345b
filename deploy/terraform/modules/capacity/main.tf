# EC2 machines for tasks that Fargate can't run: tasks with a persistent disk or a GPU.

# A provider's default tags don't reach what an auto scaling group launches, and the budget counts by them.
data "aws_default_tags" "this" {}

resource "aws_launch_template" "this" {
  name                   = var.name
  image_id               = "resolve:ssm:${var.image_parameter}"
  instance_type          = var.instance_type
  update_default_version = true
  vpc_security_group_ids = [var.security_group]

  user_data = base64encode(templatefile("${path.module}/start.sh", {
    cluster = var.cluster_name
    node    = var.node
    region  = var.region
    volume  = var.volume
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # containers can't use the machine's role
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size = 50
      volume_type = "gp3"
      encrypted   = true
    }
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = length(data.aws_default_tags.this.tags) > 0 ? [data.aws_default_tags.this.tags] : []

    content {
      resource_type = "volume"
      tags          = tag_specifications.value
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                  = var.name
  min_size              = var.machines.min
  max_size              = var.machines.max
  vpc_zone_identifier   = var.subnets
  protect_from_scale_in = var.machines.managed
  max_instance_lifetime = var.max_lifetime_days * 24 * 60 * 60 # a new machine has the newest image

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  tag {
    key                 = "Name"
    value               = var.name
    propagate_at_launch = true
  }

  dynamic "tag" {
    for_each = data.aws_default_tags.this.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # ECS requires this tag.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }
}

resource "aws_ecs_capacity_provider" "this" {
  count = var.machines.managed ? 1 : 0
  name  = var.name

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this.arn
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}
