# What Kafka says of itself.

locals {
  kafka = merge(
    {
      kafka-offline-partitions = {
        says       = "Partitions without a leader: their tickets can't be read or written."
        namespace  = "AWS/Kafka"
        metric     = "OfflinePartitionsCount"
        dimensions = { "Cluster Name" = var.kafka.name }
        statistic  = "Maximum"
        is         = "GreaterThanThreshold"
        threshold  = 0
        minutes    = 2
        missing    = "missing"
        severity   = "critical"
        runbook    = "kafka-offline-partitions"
      }
      kafka-no-controller = {
        says       = "No broker is the controller: no leader is elected for what fails next."
        namespace  = "AWS/Kafka"
        metric     = "ActiveControllerCount"
        dimensions = { "Cluster Name" = var.kafka.name }
        statistic  = "Maximum"
        is         = "LessThanThreshold"
        threshold  = 1
        minutes    = 5
        missing    = "breaching"
        severity   = "critical"
        runbook    = "kafka-no-controller"
      }
    },
    { for id in var.kafka.broker_ids : "kafka-disk-${id}" => {
      says       = "Broker ${id}'s disk is nearly full, so it has not grown: at its bound, or within six hours of growing."
      namespace  = "AWS/Kafka"
      metric     = "KafkaDataLogsDiskUsed"
      dimensions = { "Cluster Name" = var.kafka.name, "Broker ID" = id }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 75
      minutes    = 15
      missing    = "missing"
      severity   = "critical"
      runbook    = "kafka-disk"
    } },
    { for id in var.kafka.broker_ids : "kafka-under-replicated-${id}" => {
      says       = "Broker ${id} leads partitions that lack a copy: an ack still means two, and the next loss stops writes."
      namespace  = "AWS/Kafka"
      metric     = "UnderReplicatedPartitions"
      dimensions = { "Cluster Name" = var.kafka.name, "Broker ID" = id }
      statistic  = "Maximum"
      is         = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 15 # a broker that MSK patches is away for less
      missing    = "missing"
      severity   = "warning"
      runbook    = "kafka-under-replicated"
    } },
  )
}
