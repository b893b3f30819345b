# Whether tickets arrive. MSK gives no lag while a group rebalances or before it commits: then `missing` is no alarm.

locals {
  workers = merge(
    { for name, worker in var.workers : "${name}-lag" => {
      says       = "${name} lags by more than all its tasks work off in a few minutes."
      namespace  = "AWS/Kafka"
      metric     = "SumOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = worker.target_lag * worker.max_tasks
      minutes    = 10
      missing    = "missing"
      severity   = "critical"
      runbook    = "worker-lag"
    } },
    { for name, worker in var.workers : "${name}-stuck-partition" => {
      says       = "One partition of ${name} lags by more than a task's share: one worker is stuck or slow."
      namespace  = "AWS/Kafka"
      metric     = "MaxOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = worker.target_lag
      minutes    = 15
      missing    = "missing"
      severity   = "warning"
      runbook    = "worker-stuck-partition"
    } },
    { for name, worker in var.workers : "${name}-stale" => {
      says       = "What ${name} makes searchable arrived more than five minutes ago."
      namespace  = "AWS/Kafka"
      metric     = "EstimatedMaxTimeLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 300
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "worker-stale"
    } },
    { for name, worker in var.workers : "${name}-too-few" => {
      says       = "Fewer tasks of ${name} run than should."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      is         = "LessThanThreshold"
      threshold  = worker.min_tasks
      minutes    = 10 # longer than a deployment
      missing    = "breaching"
      severity   = "critical"
      runbook    = "worker-too-few"
    } },
    { for name, worker in var.workers : "${name}-memory" => {
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
      runbook    = "worker-memory"
    } },
    { for name, worker in var.workers : "${name}-outage" => {
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
      runbook    = "worker-outage"
    } },
    { for name, worker in var.workers : "${name}-rejected" => {
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
      runbook    = "worker-rejected"
    } },
  )
}
