# What your own producers need; attach the policy to their role.

resource "aws_iam_policy" "producer" {
  count       = var.kafka_iam ? 1 : 0
  name        = "${var.global_name}-producer"
  description = "Writes ticket events to ${var.producer_topic}."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Connect"
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
        Resource = [var.kafka_arn]
      },
      {
        Sid      = "WriteTickets"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
        Resource = ["${local.topics}/${var.producer_topic}"]
      },
    ]
  })
}
