# Declarations that all ways of deployment share.

locals {
  deploy = "${path.module}/../../.."
  ecs    = "${local.deploy}/k8s-ecs/ecs"
  msk    = "${local.deploy}/k8s-ecs/msk"

  sizes             = yamldecode(file("${local.deploy}/sizes.yaml"))
  topics            = yamldecode(file("${local.msk}/topics.yaml")).topics
  server_properties = file("${local.msk}/server.properties")

  partitions = { for topic in local.topics : topic.name => topic.partitions }
  dlq        = "tickets.dlq"
  name       = "ticketstream-${var.environment}"
}
