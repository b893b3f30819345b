# Whether the index answers, and how many of its nodes.

locals {
  index = merge(
    { for name in var.index.nodes : "${name}-down" => {
      says       = "${name} doesn't run. The other two answer and take writes; a second loss stops writes."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      is         = "LessThanThreshold"
      threshold  = 1
      minutes    = 5
      missing    = "breaching"
      severity   = "warning"
      runbook    = "index-node-down"
    } },
    {
      index-no-majority = {
        says       = "Fewer than two nodes of the index are ready: writes fail, the stream waits."
        namespace  = "AWS/NetworkELB"
        metric     = "HealthyHostCount"
        dimensions = { LoadBalancer = var.index.load_balancer, TargetGroup = var.index.target_group }
        statistic  = "Maximum"
        is         = "LessThanThreshold"
        threshold  = 2
        minutes    = 3
        missing    = "breaching"
        severity   = "critical"
        runbook    = "index-no-majority"
      }
    },
  )
}
