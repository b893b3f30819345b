# Where the tasks run, and what they say.

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights" # RunningTaskCount, by which the workers scale, is one of its metrics
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "task" {
  #checkov:skip=CKV_AWS_338:A month, as the logs' promise says: they hold no ticket text, and nothing that is asked for later
  for_each          = var.tasks
  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}

# The collectors write metrics as structured logs; CloudWatch makes metrics of them.
resource "aws_cloudwatch_log_group" "metrics" {
  #checkov:skip=CKV_AWS_338:The metrics made of it live for fifteen months
  name              = "/${var.name}/metrics"
  retention_in_days = var.log_days
  kms_key_id        = var.key_arn
}
