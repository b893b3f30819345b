# Two IAM roles per task: ECS starts the task with the execution role (image, secrets, log), and the running container
# uses the task role.

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role" "task" {
  for_each           = var.tasks
  name               = "${var.global_name}-${each.key}-task"
  description        = "The running task ${each.key} uses this role."
  assume_role_policy = local.trust

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "task" {
  for_each = { for task, statements in local.work : task => statements if length(statements) > 0 }
  name     = "work"
  role     = aws_iam_role.task[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role" "execution" {
  for_each           = var.tasks
  name               = "${var.global_name}-${each.key}-start"
  description        = "ECS starts the task ${each.key} with this role."
  assume_role_policy = local.trust

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "execution" {
  for_each = var.tasks
  name     = "start"
  role     = aws_iam_role.execution[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = local.start[each.key] })
}
