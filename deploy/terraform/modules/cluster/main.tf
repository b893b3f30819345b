# The ECS cluster and its log groups.

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights" # provides RunningTaskCount, which the scaling of workers needs
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "task" {
  #checkov:skip=CKV_AWS_338:A month is enough, because the logs hold no ticket text and nothing that is needed later
  for_each          = var.tasks
  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

# The collectors write structured logs here, which CloudWatch turns into metrics.
resource "aws_cloudwatch_log_group" "metrics" {
  #checkov:skip=CKV_AWS_338:CloudWatch keeps the metrics made from these logs for fifteen months
  name              = "/${var.name}/metrics"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}
