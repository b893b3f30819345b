# Alarms on MSK's own metrics.

locals {
  kafka = merge(
    {
      kafka-offline-partitions = {
        summary    = "Some partitions have no leader: their tickets can't be read or written."
        namespace  = "AWS/Kafka"
        metric     = "OfflinePartitionsCount"
        dimensions = { "Cluster Name" = var.kafka.name }
        statistic  = "Maximum"
        comparison = "GreaterThanThreshold"
        threshold  = 0
        minutes    = 2
        missing    = "missing"
        severity   = "critical"
        runbook    = "kafka-offline-partitions"
      }
      kafka-no-controller = {
        summary    = "No broker is the controller: after the next failure no leader can be elected."
        namespace  = "AWS/Kafka"
        metric     = "ActiveControllerCount"
        dimensions = { "Cluster Name" = var.kafka.name }
        statistic  = "Maximum"
        comparison = "LessThanThreshold"
        threshold  = 1
        minutes    = 5
        missing    = "missing" # a broker in KRaft mode need not report it
        severity   = "critical"
        runbook    = "kafka-no-controller"
      }
    },
    { for id in var.kafka.broker_ids : "kafka-disk-${id}" => {
      summary    = "The disk of broker ${id} is above 75 %: it has its maximum size, or grew less than six hours ago."
      namespace  = "AWS/Kafka"
      metric     = "KafkaDataLogsDiskUsed"
      dimensions = { "Cluster Name" = var.kafka.name, "Broker ID" = id }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 75
      minutes    = 15
      missing    = "missing"
      severity   = "critical"
      runbook    = "kafka-disk"
    } },
    { for id in var.kafka.broker_ids : "kafka-under-replicated-${id}" => {
      summary    = "Broker ${id} leads partitions that lack a copy: an ack still means two copies, but losing another broker stops writes."
      namespace  = "AWS/Kafka"
      metric     = "UnderReplicatedPartitions"
      dimensions = { "Cluster Name" = var.kafka.name, "Broker ID" = id }
      statistic  = "Maximum"
      comparison = "GreaterThanThreshold"
      threshold  = 0
      minutes    = 15 # MSK patches a broker in less time
      missing    = "missing"
      severity   = "warning"
      runbook    = "kafka-under-replicated"
    } },
  )
}
