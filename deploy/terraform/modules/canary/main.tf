# The canary: a function that asks the public address a question every few minutes, as a user does, and its alarms.

locals {
  checks = ["search", "answer"]

  alarms = { for check in local.checks : check => {
    summary    = "No ${check} through the public address has succeeded for a quarter of an hour."
    namespace  = "ticketstream" # lambdas/emf.py
    metric     = "tickets_canary_ok"
    dimensions = { function = "${var.name}-canary", check = check } # the function's full name
    statistic  = "Maximum"
    threshold  = 1
    comparison = "LessThanThreshold"
    minutes    = 15
    severity   = "critical"
    runbook    = "canary"
  } }
}

# Outside the VPC, where users are.
module "lambdas" {
  source      = "../lambdas"
  name        = var.name
  global_name = var.global_name
  group       = "canary"
  account_id  = var.account_id
  region      = var.region
  partition   = var.partition
  zips        = var.zips
  key_arn     = var.key_arn
  log_key_arn = var.log_key_arn
  log_days    = var.log_days
  topics      = var.topics
  invokers    = { canary-schedule = { function = "canary", principal = "events.amazonaws.com", source_arn = aws_cloudwatch_event_rule.this.arn } }

  architecture         = var.architecture
  permissions_boundary = var.permissions_boundary

  functions = { canary = {
    description = "Asks the public address a question as a user does."
    handler     = "lambdas.canary.handler"
    timeout_s   = 30
    concurrency = 1
    environment = merge({
      TICKETS_CLIENT__RAG_URL     = var.url
      TICKETS_CANARY__SECRET_ID   = var.secret.arn
      TICKETS_CANARY__SIGN_IN_URL = "https://cognito-idp.${var.region}.amazonaws.com/"
    }, var.question == null ? {} : { TICKETS_CANARY__QUESTION = var.question })
    statements = [
      { sid = "ReadUser", actions = ["secretsmanager:GetSecretValue"], resources = [var.secret.arn] },
      {
        sid       = "DecryptUser"
        actions   = ["kms:Decrypt"]
        resources = [var.secret.key_arn]
        condition = { StringLike = { "kms:ViaService" = ["secretsmanager.*.amazonaws.com"] } }
      },
    ]
  } }
}

resource "aws_cloudwatch_event_rule" "this" {
  name                = "${var.name}-canary"
  description         = "Asks the public address every five minutes."
  schedule_expression = "rate(5 minutes)"
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = module.lambdas.arns["canary"]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-canary-${each.key}"
  alarm_description   = "${each.value.summary} Runbook: docs/deploy-aws.md, ${each.value.runbook}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = "breaching" # also between two runs
  alarm_actions       = [var.topics[each.value.severity]]
  ok_actions          = [var.topics[each.value.severity]]
  tags                = { runbook = each.value.runbook, severity = each.value.severity }
}
