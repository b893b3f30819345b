output "url" {
  description = "URL of the API, for TICKETS_CLIENT__RAG_URL and TICKETS_CLIENT__TICKETS_URL."
  value       = aws_api_gateway_stage.this.invoke_url
}

output "origin" {
  description = "Domain name and path of the API, for a CloudFront distribution."
  value       = { domain = split("/", aws_api_gateway_stage.this.invoke_url)[2], path = "/${local.stage}" }
}

output "stage_arn" {
  description = "ARN of the stage, for a firewall."
  value       = aws_api_gateway_stage.this.arn
}

output "callers" {
  description = "Source ARNs of the API's calls of functions: every operation of a function on the stage."
  value = { for service in ["responses", "tickets"] : service => {
    for name, method in local.methods : lower(replace(replace(name, "/[^A-Za-z]+/", "-"), "/-$/", "")) =>
    "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage}/${method.verb}${replace(method.path, "/\\{[^}]*\\}/", "*")}"
    if method.service == service
  } }
}

output "keys" {
  description = "Ids of the programs' keys; `aws apigateway get-api-key --include-value` shows a key."
  value       = { for name, key in aws_api_gateway_api_key.program : name => key.id }
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value = { for name, alarm in local.alarms : "${var.name}-api-${name}" => {
    namespace  = "AWS/ApiGateway"
    metric     = alarm.metric
    dimensions = { ApiName = var.name, Stage = local.stage }
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
