# The access log. Addresses, queries and cookies aren't in it; the firewall's log has them of refused requests.

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:A month is enough; CloudWatch keeps the metrics for fifteen
  provider          = aws.us_east_1
  name              = "/${var.name}/edge"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  provider     = aws.us_east_1
  name         = "${var.name}-edge"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  provider      = aws.us_east_1
  name          = "${var.name}-edge"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.access.arn
  }
}

resource "aws_cloudwatch_log_delivery" "access" {
  provider                 = aws.us_east_1
  delivery_source_name     = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn

  record_fields = [
    "date", "time", "x-edge-location", "sc-bytes", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status", "x-edge-result-type",
    "x-edge-request-id", "cs-protocol", "time-taken", "ssl-protocol", "x-edge-response-result-type", "cs-protocol-version",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type",
  ]
}
