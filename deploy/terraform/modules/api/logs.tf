# API Gateway writes all logs of an account and region with one role. This sets it, unless another stack does.

resource "aws_iam_role" "logs" {
  count                = var.set_account_role ? 1 : 0
  name                 = "${var.global_name}-api-logs"
  description          = "API Gateway writes its logs with this role."
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  count      = var.set_account_role ? 1 : 0
  role       = aws_iam_role.logs[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count               = var.set_account_role ? 1 : 0
  cloudwatch_role_arn = aws_iam_role.logs[0].arn
  depends_on          = [aws_iam_role_policy_attachment.logs]
}

# API Gateway chooses the name of its log of errors; without this group it would be kept for ever.
resource "aws_cloudwatch_log_group" "errors" {
  #checkov:skip=CKV_AWS_158:Our key serves log groups under our own names only, and API Gateway chooses this one; the log holds no ticket
  #checkov:skip=CKV_AWS_338:A month is enough, because the log holds no ticket and nothing that is needed later
  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${local.stage}"
  retention_in_days = var.log_days
}
