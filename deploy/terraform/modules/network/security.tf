# The whole firewall: traffic that isn't listed here is denied.

locals {
  with_services = length(var.service_ports) > 0

  groups = merge(
    local.stream_groups,
    local.with_services ? local.service_groups : {},
    { for name, what in { rotation = "The function that rotates secrets." } : name => what if var.with_rotation },
    { for name, what in { functions = "Lambda functions." } : name => what if var.with_functions },
    { for name, what in { link = "Load balancer of the VPC link." } : name => what if var.with_gateway },
    { for name, what in { models = "Containers of SageMaker." } : name => what if var.with_models },
  )

  service_groups = {
    services = "HTTP services."
    api      = "Load balancer of the HTTP services."
    cache    = "Cache of the HTTP services."
  }

  stream_groups = {
    workers   = "Workers and the operator."
    clients   = "Your own producers and search apps."
    brokers   = "Kafka brokers."
    index     = "Qdrant nodes."
    entry     = "Load balancer of the index."
    hosts     = "Machines of Qdrant nodes and GPU tasks."
    endpoints = "VPC endpoints of AWS services."
  }

  # The name is from-to or from-purpose.
  allowed = merge(
    local.stream_allowed,
    local.with_services ? local.service_allowed : {},
    { for name, rule in local.rotation_allowed : name => rule if var.with_rotation },
    { for name, rule in local.function_allowed : name => rule if var.with_functions },
    { for name, rule in local.link_allowed : name => rule if var.with_gateway },
    { for name, rule in local.model_allowed : name => rule if var.with_models },
  )

  function_allowed = {
    functions-api       = { from = "functions", to = "api", port = 443, why = "pass requests on to the RAG service" }
    functions-brokers   = { from = "functions", to = "brokers", port = var.kafka_port, why = "send changes of tickets" }
    functions-cache     = { from = "functions", to = "cache", port = var.cache_port, why = "rate limits" }
    functions-endpoints = { from = "functions", to = "endpoints", port = 443, why = "AWS services" }
  }

  link_allowed = {
    link-api = { from = "link", to = "api", port = 443, why = "requests of the REST API" }
  }

  model_allowed = {
    models-endpoints = { from = "models", to = "endpoints", port = 443, why = "AWS services" }
  }

  rotation_allowed = {
    rotation-index     = { from = "rotation", to = "index", port = 6333, why = "see that a node accepts the next key (HTTP)" }
    rotation-brokers   = { from = "rotation", to = "brokers", port = var.kafka_port, why = "see that the brokers accept the next password" }
    rotation-endpoints = { from = "rotation", to = "endpoints", port = 443, why = "secrets, restarts of services, logs" }
  }

  service_allowed = merge(
    { for name, port in var.service_ports : "api-${name}" => { from = "api", to = "services", port = port, why = "forward to ${name}" } },
    {
      clients-api        = { from = "clients", to = "api", port = 443, why = "search, answers and the ticket API" }
      services-brokers   = { from = "services", to = "brokers", port = var.kafka_port, why = "send changes of tickets and feedback" }
      services-entry     = { from = "services", to = "entry", port = 6334, why = "search the index (gRPC)" }
      services-cache     = { from = "services", to = "cache", port = var.cache_port, why = "answers, rate limits and budgets" }
      services-endpoints = { from = "services", to = "endpoints", port = 443, why = "images, secrets, logs, metrics" }
    },
  )

  stream_allowed = {
    workers-brokers   = { from = "workers", to = "brokers", port = var.kafka_port, why = "read and write topics" }
    clients-brokers   = { from = "clients", to = "brokers", port = var.kafka_port, why = "write tickets" }
    clients-entry     = { from = "clients", to = "entry", port = 6334, why = "search the index (gRPC)" }
    workers-entry     = { from = "workers", to = "entry", port = 6334, why = "write and search the index (gRPC)" }
    entry-index       = { from = "entry", to = "index", port = 6334, why = "forward to a node" }
    entry-health      = { from = "entry", to = "index", port = 6333, why = "check whether a node is ready (HTTP)" }
    index-index       = { from = "index", to = "index", port = 6335, why = "agree on collections and copy shards" }
    workers-endpoints = { from = "workers", to = "endpoints", port = 443, why = "images, secrets, logs, metrics" }
    clients-endpoints = { from = "clients", to = "endpoints", port = 443, why = "AWS services, whose names lead here in the whole VPC" }
    index-endpoints   = { from = "index", to = "endpoints", port = 443, why = "images, secrets, logs" }
    hosts-endpoints   = { from = "hosts", to = "endpoints", port = 443, why = "join the cluster, attach a volume" }
  }

  # Groups of yours take our rules in place of a group that we would create.
  given = { for name, id in { brokers = var.brokers_group, endpoints = try(var.existing.endpoints_group, null) } : name => id if id != null }
  ids   = merge({ for name, group in aws_security_group.this : name => group.id }, local.given)

  # In your own VPC there are VPC endpoints only if you name their group.
  absent = local.create ? [] : [for name in ["endpoints"] : name if !contains(keys(local.given), name)]
  rules  = { for name, rule in local.allowed : name => rule if !contains(local.absent, rule.to) }

  # These groups call AWS, whose addresses aren't known in advance.
  outward = toset(concat(["workers", "index", "hosts"], local.with_services ? ["services"] : [], var.with_rotation ? ["rotation"] : [], var.with_functions ? ["functions"] : [], var.with_models ? ["models"] : []))
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Other modules attach the groups by their ids
  for_each    = { for name, what in local.groups : name => what if !contains(concat(keys(local.given), local.absent), name) }
  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = local.vpc_id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = local.rules
  security_group_id            = local.ids[each.value.to]
  referenced_security_group_id = local.ids[each.value.from]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.from}: ${each.value.why}"
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each                     = local.rules
  security_group_id            = local.ids[each.value.from]
  referenced_security_group_id = local.ids[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.value.to}: ${each.value.why}"
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  for_each          = local.outward
  security_group_id = local.ids[each.key]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "AWS over TLS"
}
