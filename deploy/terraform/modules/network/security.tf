# The whole firewall: traffic that isn't listed here is denied.

locals {
  groups = {
    workers   = "Workers and the operator."
    clients   = "Your own producers and search apps."
    brokers   = "Kafka brokers."
    index     = "Qdrant nodes."
    entry     = "Load balancer of the index."
    hosts     = "Machines of Qdrant nodes and GPU tasks."
    endpoints = "VPC endpoints of AWS services."
  }

  # The name is from-to or from-purpose.
  allowed = {
    workers-brokers   = { from = "workers", to = "brokers", port = var.kafka_port, why = "read and write topics" }
    clients-brokers   = { from = "clients", to = "brokers", port = var.kafka_port, why = "write tickets" }
    clients-entry     = { from = "clients", to = "entry", port = 6334, why = "search the index (gRPC)" }
    workers-entry     = { from = "workers", to = "entry", port = 6334, why = "write and search the index (gRPC)" }
    entry-index       = { from = "entry", to = "index", port = 6334, why = "forward to a node" }
    entry-health      = { from = "entry", to = "index", port = 6333, why = "check whether a node is ready (HTTP)" }
    index-index       = { from = "index", to = "index", port = 6335, why = "agree on collections and copy shards" }
    workers-endpoints = { from = "workers", to = "endpoints", port = 443, why = "images, secrets, logs, metrics" }
    index-endpoints   = { from = "index", to = "endpoints", port = 443, why = "images, secrets, logs" }
    hosts-endpoints   = { from = "hosts", to = "endpoints", port = 443, why = "join the cluster, attach a volume" }
  }

  # These groups call AWS, whose addresses aren't known in advance.
  outward = toset(["workers", "index", "hosts"])
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Other modules attach the groups by their ids
  for_each    = local.groups
  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = local.allowed
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.from}: ${each.value.why}"
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each                     = local.allowed
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.to}: ${each.value.why}"
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  for_each          = local.outward
  security_group_id = aws_security_group.this[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "AWS over TLS"
}
