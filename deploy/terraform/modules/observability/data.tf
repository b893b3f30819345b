# Alarms on the copies of the buckets, and on backups.

locals {
  copies = merge(
    { for name, copy in var.copies : "${name}-copy-late" => {
      summary    = "Objects of ${copy.source} wait for more than ten minutes to be copied to the second region."
      namespace  = "AWS/S3"
      metric     = "ReplicationLatency"
      dimensions = { SourceBucket = copy.source, DestinationBucket = copy.target, RuleId = "copy" }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 600
      minutes    = 5
      missing    = "notBreaching" # nothing to copy
      severity   = "warning"
      runbook    = "copy-late"
    } },
    { for name, copy in var.copies : "${name}-copy-failed" => {
      summary    = "S3 could not copy objects of ${copy.source} to the second region."
      namespace  = "AWS/S3"
      metric     = "OperationsFailedReplication"
      dimensions = { SourceBucket = copy.source, DestinationBucket = copy.target, RuleId = "copy" }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching"
      severity   = "critical"
      runbook    = "copy-failed"
    } },
    { for vault in var.vaults : "backup-failed" => {
      summary    = "AWS Backup could not make a backup."
      namespace  = "AWS/Backup"
      metric     = "NumberOfBackupJobsFailed"
      dimensions = { BackupVaultName = vault }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching"
      severity   = "critical"
      runbook    = "backup-failed"
    } },
    { for vault in var.vaults : "backup-missing" => {
      summary    = "No backup has been completed for four hours; tables have one every hour."
      namespace  = "AWS/Backup"
      metric     = "NumberOfBackupJobsCompleted"
      dimensions = { BackupVaultName = vault }
      statistic  = "Sum"
      comparison = "LessThanThreshold"
      threshold  = 1
      minutes    = 240
      missing    = "breaching"
      severity   = "critical"
      runbook    = "backup-missing"
    } },
    { for vault in var.vaults : "backup-copy-failed" => {
      summary    = "AWS Backup could not copy a backup to the second region."
      namespace  = "AWS/Backup"
      metric     = "NumberOfCopyJobsFailed"
      dimensions = { BackupVaultName = vault }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching"
      severity   = "warning"
      runbook    = "backup-failed"
    } },
  )
}
