# Lambda functions from the zips that lambdas/build.py makes, each with its own role and log group.

locals {
  zips  = { for name, function in var.functions : name => "${var.zips}/${coalesce(function.zip, name)}.zip" }
  names = { for name in keys(var.functions) : name => "${var.name}-${replace(name, "_", "-")}" }
  arns  = { for name, full in local.names : name => "arn:${var.partition}:lambda:${var.region}:${var.account_id}:function:${full}" }

  # Functions whose caller doesn't wait: AWS tries an event three times, and then writes it to the queue.
  asynchronous = { for name, function in var.functions : name => function if function.asynchronous }
  queue        = "${var.name}-${var.group}-dead-letters"
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_272:The zips are built from a lock with hashes, and the same sources give the same bytes; a signing profile would be yours
  #checkov:skip=CKV_AWS_116:Functions that are called asynchronously have a queue; the callers of the others get the error, or deliver again
  #checkov:skip=CKV_AWS_117:A function is in the VPC if it calls something there; the pre-token trigger calls nothing
  for_each                       = var.functions
  function_name                  = local.names[each.key]
  description                    = each.value.description
  role                           = aws_iam_role.this[each.key].arn
  runtime                        = "python3.13"
  architectures                  = [var.architecture]
  handler                        = each.value.handler
  filename                       = local.zips[each.key]
  source_code_hash               = try(filebase64sha256(local.zips[each.key]), null)
  timeout                        = each.value.timeout_s
  memory_size                    = each.value.memory_mib
  reserved_concurrent_executions = each.value.concurrency
  kms_key_arn                    = length(each.value.environment) > 0 ? var.key_arn : null # without settings AWS drops it

  dynamic "environment" {
    for_each = length(each.value.environment) > 0 ? [each.value.environment] : []

    content {
      variables = environment.value
    }
  }

  tracing_config {
    mode = "Active"
  }

  # The functions write JSON lines themselves, and CloudWatch reads their metrics from them.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  dynamic "vpc_config" {
    for_each = each.value.security_group == null ? [] : [each.value.security_group]

    content {
      subnet_ids         = var.network.subnets
      security_group_ids = [var.network.security_groups[vpc_config.value]]
    }
  }

  dynamic "dead_letter_config" {
    for_each = each.value.asynchronous ? [aws_sqs_queue.dead_letters[0].arn] : []

    content {
      target_arn = dead_letter_config.value
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(local.zips[each.key])
      error_message = "There is no ${local.zips[each.key]}: build it with `make lambda-zip`."
    }
  }

  # A function must not start before its role may write its log, read its settings and enter the VPC.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:A month is enough, because the logs hold no ticket text and nothing that is needed later
  for_each          = var.functions
  name              = "/${var.name}/function/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_sqs_queue" "dead_letters" {
  count                     = length(local.asynchronous) > 0 ? 1 : 0
  name                      = local.queue
  message_retention_seconds = 14 * 24 * 3600
  kms_master_key_id         = var.key_arn
}

# The ARN of a bucket names no account, so another account's bucket could have it later.
resource "aws_lambda_permission" "this" {
  for_each       = var.invokers
  statement_id   = each.key
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this[each.value.function].function_name
  principal      = each.value.principal
  source_arn     = each.value.source_arn
  source_account = each.value.principal == "s3.amazonaws.com" ? var.account_id : null
}
