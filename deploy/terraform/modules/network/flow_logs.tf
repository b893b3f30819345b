# Flow logs of all traffic, accepted and rejected.

resource "aws_cloudwatch_log_group" "flow" {
  #checkov:skip=CKV_AWS_338:A month is enough for an investigation; a year of addresses would be personal data without a purpose
  name              = "/${var.name}/flow"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_iam_role" "flow" {
  name = "${var.global_name}-flow-logs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "flow" {
  name = "write"
  role = aws_iam_role.flow.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
  })
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow.arn
  iam_role_arn    = aws_iam_role.flow.arn
}
