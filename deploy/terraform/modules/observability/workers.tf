# Alarms on the workers. MSK gives no lag while a group rebalances or before its first commit, so missing data is no
# alarm there.

locals {
  workers = merge(
    { for name, worker in var.workers : "${name}-lag" => {
      summary    = "The lag of ${name} is more than the maximum number of tasks can process in the catch-up time."
      namespace  = "AWS/Kafka"
      metric     = "SumOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = worker.target_lag * worker.max_tasks
      minutes    = 10
      missing    = "missing"
      severity   = "critical"
      runbook    = "worker-lag"
    } },
    { for name, worker in var.workers : "${name}-stuck-partition" => {
      summary    = "One partition of ${name} lags by more than a task's target: its worker is stuck or slow."
      namespace  = "AWS/Kafka"
      metric     = "MaxOffsetLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = worker.target_lag
      minutes    = 15
      missing    = "missing"
      severity   = "warning"
      runbook    = "worker-stuck-partition"
    } },
    { for name, worker in var.workers : "${name}-stale" => {
      summary    = "${name} is more than five minutes behind its topic."
      namespace  = "AWS/Kafka"
      metric     = "EstimatedMaxTimeLag"
      dimensions = { "Cluster Name" = var.kafka.name, "Consumer Group" = worker.group, "Topic" = worker.topic }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 300
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "worker-stale"
    } },
    { for name, worker in var.workers : "${name}-too-few" => {
      summary    = "${name} has fewer tasks than its minimum."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      comparison = "LessThanThreshold"
      threshold  = worker.min_tasks
      minutes    = 10 # longer than a deployment
      missing    = "breaching"
      severity   = "critical"
      runbook    = "worker-too-few"
    } },
    { for name, worker in var.workers : "${name}-memory" => {
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
    { for name, worker in var.workers : "${name}-outage" => {
      summary    = "${name} waits for a dependency that is unavailable."
      namespace  = var.namespace
      metric     = "tickets_circuit_state"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 5
      missing    = "missing"
      severity   = "critical"
      runbook    = "worker-outage"
    } },
    { for name, worker in var.workers : "${name}-rejected" => {
      summary    = "${name} rejects many records: a producer breaks the contract."
      namespace  = var.namespace
      metric     = "tickets_rejected_total"
      dimensions = { worker = name }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 100
      minutes    = 5
      missing    = "notBreaching" # an unused counter doesn't exist
      severity   = "warning"
      runbook    = "worker-rejected"
    } },
  )
}
