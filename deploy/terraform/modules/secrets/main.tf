# Secrets without values, which would otherwise be in the state. Set a value with `aws secretsmanager put-secret-value`.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:The module rotation sets the schedule, because the function that rotates comes later
  for_each                = var.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}
