# The workflow of a new ticket (docs/workflow.md): its state machine, the topic that it tells, and the queue of executions
# that failed.

locals {
  machine     = "${var.name}-workflow"
  machine_arn = "arn:${var.partition}:states:${var.region}:${var.account_id}:stateMachine:${local.machine}"
}

resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_285:Only errors are logged, because each ticket's execution is kept in the history for 90 days
  name     = local.machine
  role_arn = aws_iam_role.this.arn

  definition = templatefile("${path.module}/workflow.asl.json", merge(var.functions, {
    partition = var.partition
    topic     = aws_sns_topic.this.arn
  }))

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  # A state machine is checked for its rights when it is created.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:A month is enough, because the logs hold no ticket text and nothing that is needed later
  name              = "/${var.name}/workflow"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_sns_topic" "this" {
  name              = "${local.machine}-decisions"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = toset(var.subscribers)
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

# Failed executions. A message stays until `ticketstream workflow replay` has started its execution again.
resource "aws_sqs_queue" "failures" {
  # SQS's own key encrypts it, because EventBridge could use one of ours only by its policy; it holds no ticket text.
  name                      = "${local.machine}-failures"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "failures" {
  queue_url = aws_sqs_queue.failures.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "WriteFailures"
        Effect    = "Allow"
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.failures.arn
        Principal = { Service = "events.amazonaws.com" }
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.failures.arn } }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.failures.arn
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# A status change comes for every end of an execution, also for one that took too long or was stopped.
resource "aws_cloudwatch_event_rule" "failures" {
  name        = "${local.machine}-failures"
  description = "Executions of the workflow that failed."

  event_pattern = jsonencode({
    source        = ["aws.states"]
    "detail-type" = ["Step Functions Execution Status Change"]
    detail        = { stateMachineArn = [local.machine_arn], status = ["FAILED", "TIMED_OUT", "ABORTED"] }
  })
}

resource "aws_cloudwatch_event_target" "failures" {
  rule = aws_cloudwatch_event_rule.failures.name
  arn  = aws_sqs_queue.failures.arn
}
