# Declarations that all ways of deployment share.

locals {
  deploy = "${path.module}/../../.."
  ecs    = "${local.deploy}/k8s-ecs/ecs"
  msk    = "${local.deploy}/k8s-ecs/msk"

  sizes             = yamldecode(file("${local.deploy}/sizes.yaml"))
  topics            = yamldecode(file("${local.msk}/topics.yaml")).topics
  server_properties = file("${local.msk}/server.properties")

  # Sizes of the HTTP services; empty without them.
  services = { for name, size in local.sizes.services : name => size if var.services != null }

  cache_port = 6379
  partitions = { for topic in local.topics : topic.name => topic.partitions }
  dlq        = "tickets.dlq"
  name       = "ticketstream-${var.environment}"

  # Names of IAM and S3 are unique beyond the region: us-east-1 is use1, ap-southeast-2 is apse2.
  compass     = { north = "n", south = "s", east = "e", west = "w", central = "c" }
  region_code = join("", [for part in split("-", var.region) : length(part) < 4 ? part : join("", [for word in regexall("north|south|east|west|central", part) : local.compass[word]])])
  global_name = "${local.name}-${local.region_code}"

  partition = data.aws_partition.current.partition
  zones     = var.network.existing == null ? var.network.zones : sort(keys(var.network.existing.private_subnets))
}

# The provider knows it from the region: aws-us-gov in us-gov-west-1.
data "aws_partition" "current" {}
