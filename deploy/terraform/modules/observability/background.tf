# Alarms on the archiver and the producers.

locals {
  archivers = [for name in keys(var.background) : name if name == "archive"]
  producers = [for name in keys(var.background) : name if name == "producer"]

  background = merge(
    { for name, service in var.background : "${name}-too-few" => {
      summary    = "${name} has fewer tasks than its minimum."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      comparison = "LessThanThreshold"
      threshold  = service.min_tasks
      minutes    = 10 # longer than a deployment
      missing    = "breaching"
      severity   = "critical"
      runbook    = "worker-too-few"
    } },
    { for name, service in var.background : "${name}-memory" => {
      summary    = "${name} uses more than 90 % of its memory; at the limit it is killed."
      namespace  = "AWS/ECS"
      metric     = "MemoryUtilization"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 90
      minutes    = 10
      missing    = "missing"
      severity   = "warning"
      runbook    = "worker-memory"
    } },
    { for name in local.archivers : "${name}-late" => {
      summary    = "Events that the archiver read ten minutes ago are not in the bucket; a file should be written after five."
      namespace  = var.namespace
      metric     = "tickets_archive_age_seconds"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 600
      minutes    = 3
      missing    = "missing"
      severity   = "critical"
      runbook    = "archive-late"
    } },
    { for name in local.archivers : "${name}-stale" => {
      summary    = "The archive lacks more than the last fifteen minutes of ${var.background[name].topic}, its recovery point."
      namespace  = "AWS/Kafka"
      metric     = "EstimatedMaxTimeLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = var.background[name].group, "Topic" = var.background[name].topic }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 900
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "archive-late"
    } },
    { for name in local.archivers : "${name}-expired" => {
      summary    = "Records expired in Kafka before they were archived: the archive will never have them."
      namespace  = var.namespace
      metric     = "tickets_expired_records_total"
      dimensions = { worker = name }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 1
      missing    = "notBreaching" # an unused counter doesn't exist
      severity   = "critical"
      runbook    = "archive-expired"
    } },
    { for name in local.producers : "${name}-late" => {
      summary    = "A file has had unsent lines for more than ten minutes."
      namespace  = var.namespace
      metric     = "tickets_producer_lag_seconds"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 600
      minutes    = 10
      missing    = "missing"
      severity   = "warning"
      runbook    = "producer-late"
    } },
    { for name in local.producers : "${name}-faulty" => {
      summary    = "The producers can't read a file as a whole."
      namespace  = var.namespace
      metric     = "tickets_producer_faulty_files"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 15
      missing    = "missing"
      severity   = "warning"
      runbook    = "producer-faulty"
    } },
    { for name in local.producers : "${name}-rejected" => {
      summary    = "Many lines of the producers' files aren't ticket events."
      namespace  = var.namespace
      metric     = "tickets_rejected_total"
      dimensions = { worker = name }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 100
      minutes    = 5
      missing    = "notBreaching"
      severity   = "warning"
      runbook    = "worker-rejected"
    } },
  )
}
