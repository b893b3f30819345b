# Alarms on the HTTP services.

locals {
  served = var.services == null ? {} : var.services.services

  services = merge(
    { for name, service in local.served : "${name}-errors" => {
      summary    = "${name} answers more than ten requests a minute with 5xx."
      namespace  = "AWS/ApplicationELB"
      metric     = "HTTPCode_Target_5XX_Count"
      dimensions = { LoadBalancer = var.services.load_balancer, TargetGroup = service.target_group }
      statistic  = "Sum"
      comparison = "GreaterThanThreshold"
      threshold  = 10
      minutes    = 5
      missing    = "notBreaching" # no request failed
      severity   = "critical"
      runbook    = "service-errors"
    } },
    { for name, service in local.served : "${name}-slow" => {
      summary    = "${name} takes more than ${service.slow_s} s for one request in twenty to begin its answer."
      namespace  = "AWS/ApplicationELB"
      metric     = "TargetResponseTime"
      dimensions = { LoadBalancer = var.services.load_balancer, TargetGroup = service.target_group }
      statistic  = "p95"
      comparison = "GreaterThanThreshold"
      threshold  = service.slow_s
      minutes    = 10
      missing    = "notBreaching"
      severity   = "warning"
      runbook    = "service-slow"
    } },
    { for name, service in local.served : "${name}-not-ready" => {
      summary    = "No task of ${name} is ready: what it needs is away, or it doesn't start."
      namespace  = "AWS/ApplicationELB"
      metric     = "HealthyHostCount"
      dimensions = { LoadBalancer = var.services.load_balancer, TargetGroup = service.target_group }
      statistic  = "Maximum"
      comparison = "LessThanThreshold"
      threshold  = 1
      minutes    = 3
      missing    = "breaching"
      severity   = "critical"
      runbook    = "service-not-ready"
    } },
    { for name, service in local.served : "${name}-too-few" => {
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
    { for name, service in local.served : "${name}-memory" => {
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
      runbook    = "service-memory"
    } },
    { for name, service in local.served : "${name}-cache-outage" => {
      summary    = "${name} can't use the cache: no request fails, and each task counts requests alone."
      namespace  = var.namespace
      metric     = "tickets_circuit_state"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 5
      missing    = "missing"
      severity   = "warning"
      runbook    = "service-cache-outage"
    } },
    { for name in [for name in keys(local.served) : name if name == "tickets"] : "${name}-outbox" => {
      summary    = "Changes of tickets have waited for the broker for more than two minutes."
      namespace  = var.namespace
      metric     = "tickets_outbox_age_seconds"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 120
      minutes    = 3
      missing    = "missing"
      severity   = "critical"
      runbook    = "service-outbox"
    } },
    { for name in [for name in keys(local.served) : name if name == "rag"] : "${name}-feedback" => {
      summary    = "Verdicts on answers wait for their topic."
      namespace  = var.namespace
      metric     = "tickets_feedback_unsent"
      dimensions = { worker = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 15
      missing    = "missing"
      severity   = "warning"
      runbook    = "service-feedback"
    } },
  )

  stores = merge(flatten([
    [for name, table in var.services == null ? {} : var.services.tables : {
      for kind in ["Read", "Write"] : "${lower(name)}-${lower(kind)}-throttled" => {
        summary    = "DynamoDB throttles ${lower(kind)}s of ${table}: requests are slow, or fail."
        namespace  = "AWS/DynamoDB"
        metric     = "${kind}ThrottleEvents"
        dimensions = { TableName = table }
        statistic  = "Sum"
        comparison = "GreaterThanThreshold"
        threshold  = 0
        minutes    = 5
        missing    = "notBreaching" # nothing was throttled
        severity   = "warning"
        runbook    = "table-throttled"
      }
    }],
    [for name, node in var.services == null ? {} : var.services.cache_nodes : {
      "${name}-cpu" = {
        summary    = "The cache's node ${node} is busy: calls time out, and requests go on without it."
        namespace  = "AWS/ElastiCache"
        metric     = "EngineCPUUtilization"
        dimensions = { CacheClusterId = node }
        statistic  = "Average"
        comparison = "GreaterThanThreshold"
        threshold  = 90
        minutes    = 10
        missing    = "missing"
        severity   = "warning"
        runbook    = "cache-cpu"
      }
    }],
  ])...)
}
