# A guardrail of Bedrock for the RAG service's language models (docs/language-models.md). It checks their input and output,
# beside the checks of `answers/`. It holds rules and no ticket, so AWS's own key encrypts it.

locals {
  # Customers are rude and quote abuse, so a question is checked for attacks only.
  filters = {
    HATE          = { input = "NONE", output = "HIGH" }
    INSULTS       = { input = "NONE", output = "HIGH" }
    MISCONDUCT    = { input = "NONE", output = "HIGH" }
    PROMPT_ATTACK = { input = "HIGH", output = "NONE" } # Bedrock has no other for outputs
    SEXUAL        = { input = "NONE", output = "HIGH" }
    VIOLENCE      = { input = "NONE", output = "HIGH" }
  }

  # Redaction has removed these from tickets; a model that writes one has invented it.
  secrets = ["AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_NUMBER", "PASSWORD", "PIN"]
}

resource "aws_bedrock_guardrail" "answers" {
  count                     = var.guardrail ? 1 : 0
  name                      = "${var.name}-answers"
  description               = "Questions and drafts of answers."
  blocked_input_messaging   = "The question was refused."
  blocked_outputs_messaging = "The answer was refused."

  content_policy_config {
    dynamic "filters_config" {
      for_each = local.filters

      content {
        type            = filters_config.key
        input_strength  = filters_config.value.input
        output_strength = filters_config.value.output
      }
    }
  }

  sensitive_information_policy_config {
    dynamic "pii_entities_config" {
      for_each = local.secrets

      content {
        type   = pii_entities_config.value
        action = "BLOCK"
      }
    }
  }
}

# Tasks name a version, so that a change of the rules reaches them with a deployment. Old versions stay for tasks that run.
resource "aws_bedrock_guardrail_version" "answers" {
  count         = var.guardrail ? 1 : 0
  guardrail_arn = aws_bedrock_guardrail.answers[0].guardrail_arn
  description   = substr(sha256(jsonencode([local.filters, local.secrets])), 0, 12)
  skip_destroy  = true
}
