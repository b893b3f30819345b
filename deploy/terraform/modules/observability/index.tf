# Alarms on the index and its nodes.

locals {
  index = merge(
    { for name in var.index.nodes : "${name}-down" => {
      summary    = "${name} isn't running. The other two nodes answer and take writes; losing another stops writes."
      namespace  = "ECS/ContainerInsights"
      metric     = "RunningTaskCount"
      dimensions = { ClusterName = var.cluster_name, ServiceName = name }
      statistic  = "Minimum"
      comparison = "LessThanThreshold"
      threshold  = 1
      minutes    = 5
      missing    = "breaching"
      severity   = "warning"
      runbook    = "index-node-down"
    } },
    { for name in var.index.nodes : "${name}-disk" => {
      summary    = "The disk of ${name} is above 75 %, or nobody reports how full it is: a full disk stops the node's writes."
      namespace  = var.namespace
      metric     = "index_disk_used_percent"
      dimensions = { node = name }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 75
      minutes    = 15
      missing    = "breaching" # its machine reports once a minute, and a new one within minutes
      severity   = "critical"
      runbook    = "index-disk"
    } },
    {
      index-no-majority = {
        summary    = "Fewer than two nodes of the index are ready: writes fail, and the stream waits."
        namespace  = "AWS/NetworkELB"
        metric     = "HealthyHostCount"
        dimensions = { LoadBalancer = var.index.load_balancer, TargetGroup = var.index.target_group }
        statistic  = "Maximum"
        comparison = "LessThanThreshold"
        threshold  = 2
        minutes    = 3
        missing    = "breaching"
        severity   = "critical"
        runbook    = "index-no-majority"
      }
    },
  )
}
