# Tests of the module identity.

mock_provider "aws" {}

variables {
  global_name     = "ticketstream-prod-use1"
  account_id      = "123456789012"
  kafka_arn       = "arn:aws:kafka:us-east-1:123456789012:cluster/ticketstream-prod/one"
  kafka_iam       = true
  producer_topic  = "tickets.raw"
  bucket_arn      = "arn:aws:s3:::models"
  data_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/one"
  secrets_key_arn = "arn:aws:kms:us-east-1:123456789012:key/two"
  metrics_log_arn = "arn:aws:logs:us-east-1:123456789012:log-group:metrics"
  log_arns        = { embedding = "arn:aws:logs:us-east-1:123456789012:log-group:embedding" }
  tasks           = { embedding = { embeds = ["arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"] } }
}

run "an_embedding_model_is_called_and_nothing_else" {
  command = plan

  module {
    source = "../identity"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.task["embedding"].policy).Statement == [{
      Sid      = "Embed"
      Effect   = "Allow"
      Action   = ["bedrock:InvokeModel"]
      Resource = ["arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"]
    }]
    error_message = "The task's one right must be to call its embedding model."
  }
}
