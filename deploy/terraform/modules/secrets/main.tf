# Secrets without values, which would otherwise be in the state. Set a value with `aws secretsmanager put-secret-value`.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Rotating Qdrant's key needs a restart of its three nodes, one after the other, and of the workers; docs/deploy-aws.md says how
  for_each                = var.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_days
}
