output "endpoint" {
  description = "Name of the endpoint, and ARN of the policy for its callers; null without it."
  value       = var.endpoint == null ? null : { name = aws_sagemaker_endpoint.encoder[0].name, policy_arn = aws_iam_policy.call[0].arn }
}

output "group" {
  description = "Name of the model package group of label models, for `ticketstream model register`."
  value       = aws_sagemaker_model_package_group.labels.model_package_group_name
}

output "training" {
  description = "For training jobs: image, role, subnets, security group, KMS key, settings, S3 URI for the models, and ARN of the policy for those who start and register jobs; null without."
  value = var.training == null ? null : {
    image          = var.image.url
    role_arn       = aws_iam_role.this["training"].arn
    subnets        = [for arn in var.network.subnets : split("/", arn)[1]]
    security_group = split("/", var.network.security_group)[1]
    key_arn        = var.models.key_arn
    environment    = var.environment
    output         = "s3://${var.models.bucket}/${local.labels}"
    policy_arn     = aws_iam_policy.train[0].arn
  }
}

output "guardrail" {
  description = "ARN of the guardrail, and its ID:VERSION for TICKETS_LANGUAGE_MODEL__BEDROCK_GUARDRAIL; null without it."
  value = !var.guardrail ? null : {
    arn     = aws_bedrock_guardrail.answers[0].guardrail_arn
    setting = "${aws_bedrock_guardrail.answers[0].guardrail_id}:${aws_bedrock_guardrail_version.answers[0].version}"
  }
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value = { for name, alarm in local.alarms : "${local.endpoint}-${name}" => {
    namespace  = alarm.namespace
    metric     = alarm.metric
    dimensions = local.dimensions
    statistic  = alarm.statistic
    threshold  = alarm.threshold
    severity   = alarm.severity
    runbook    = alarm.runbook
  } }
}

output "alarms" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}
