# A vault of backups with a key of its own. Its lock refuses to delete a backup before its time.

resource "aws_backup_vault" "this" {
  name          = var.name
  kms_key_arn   = var.key_arn
  force_destroy = var.force_destroy
}

# Without changeable_for_days the lock is in governance mode: a principal with the right can remove it. With it, nobody can
# after those days, AWS included, and the vault outlives its last backup.
resource "aws_backup_vault_lock_configuration" "this" {
  backup_vault_name   = aws_backup_vault.this.name
  min_retention_days  = var.retention_days.min
  max_retention_days  = var.retention_days.max
  changeable_for_days = var.final_after_days
}
