# A key and a plan for each program. The key counts its requests; the token says who it is and what it may do.

resource "aws_api_gateway_usage_plan" "program" {
  for_each    = var.programs
  name        = "${var.name}-${each.key}"
  description = "Requests of ${each.key}."

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = each.value.rate
    burst_limit = each.value.burst
  }

  quota_settings {
    limit  = each.value.per_day
    period = "DAY"
  }
}

resource "aws_api_gateway_api_key" "program" {
  for_each    = var.programs
  name        = "${var.name}-${each.key}"
  description = "Counts the requests of ${each.key}."
}

resource "aws_api_gateway_usage_plan_key" "program" {
  for_each      = var.programs
  key_id        = aws_api_gateway_api_key.program[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.program[each.key].id
}
