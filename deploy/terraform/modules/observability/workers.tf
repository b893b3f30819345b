# Whether tickets arrive. MSK gives no lag while a group rebalances or before it commits: then `missing` is no alarm.

locals {
  stages = merge(
    { for name, stage in var.stages : "${name}-lag" => {
      says       = "${name} lags by more than all its tasks work off in a few minutes."
      namespace  = "AWS/Kafka"
      metric     = "SumOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = stage.group, "Topic" = stage.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = stage.target_lag * stage.max_tasks
      minutes    = 10
      missing    = "missing"
      severity   = "critical"
      runbook    = "stage-lag"
    } },
    { for name, stage in var.stages : "${name}-stuck-partition" => {
      says       = "One partition of ${name} lags by more than a task's share: one worker is stuck or slow."
      namespace  = "AWS/Kafka"
      metric     = "MaxOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = stage.group, "Topic" = stage.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = stage.target_lag
      minutes    = 15
      missing    = "missing"
      severity   = "warning"
      runbook    = "stage-stuck-partition"
    } },
    { for name, stage in var.stages : "${name}-stale" => {
      says       = "What ${name} makes searchable arrived more than five minutes ago."
      namespace  = "AWS/Kafka"
      metric     = "EstimatedMaxTimeLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = stage.group, "Topic" = stage.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 300
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "stage-stale"
    } },
    { for name, stage in var.stages : "${name}-too-few" => {
      says       = "Fewer tasks of ${name} run than should."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      is         = "LessThanThreshold"
      threshold  = stage.min_tasks
      minutes    = 10 # longer than a deployment
      missing    = "breaching"
      severity   = "critical"
      runbook    = "stage-too-few"
    } },
    { for name, stage in var.stages : "${name}-memory" => {
      says       = "${name} is near its memory's bound, where it would be killed."
      namespace  = "AWS/ECS"
      metric     = "MemoryUtilization"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 90
      minutes    = 10
      missing    = "missing"
      severity   = "warning"
      runbook    = "stage-memory"
    } },
    { for name, stage in var.stages : "${name}-outage" => {
      says       = "${name} waits for the index or the dead letters, which don't answer."
      namespace  = var.namespace
      metric     = "tickets_circuit_state"
      dimensions = { worker = name }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "stage-outage"
    } },
    { for name, stage in var.stages : "${name}-rejected" => {
      says       = "${name} sends many records to the dead letters: a producer writes what the contract doesn't allow."
      namespace  = var.namespace
      metric     = "tickets_rejected_total"
      dimensions = { worker = name }
      statistic  = "Sum"
      is         = "GreaterThanThreshold"
      threshold  = 100
      minutes    = 5
      missing    = "notBreaching" # a counter that never counted isn't there
      severity   = "warning"
      runbook    = "stage-rejected"
    } },
  )
}
