# Three Qdrant nodes. Each is an ECS service with one task, one machine, one zone, one disk and one name, so a node that
# returns is the same peer with the same data. In one service of three tasks it would have a new name and an empty disk.

locals {
  # A node is named by its zone's letter: if another zone is replaced, it keeps its disk.
  nodes = { for zone, subnet in var.subnets : "qdrant-${substr(zone, -1, 1)}" => { zone = zone, subnet = subnet } }
  order = sort(keys(local.nodes))
  ports = { http = 6333, grpc = 6334, peer = 6335 }
  path  = "/var/lib/qdrant"
  owner = "1000:1000" # the user of Qdrant's unprivileged image
  first = "http://${local.order[0]}.${aws_service_discovery_private_dns_namespace.this.name}:${local.ports.peer}"

  tasks = { for name, node in local.nodes : name => jsondecode(templatefile(var.template, {
    name           = name
    family         = "${var.name}-${name}"
    image          = var.image
    cpu            = var.node.cpu
    memory_mib     = var.node.memory_mib
    stop_timeout_s = var.stop_timeout_s
    replication    = var.replication
    ports          = local.ports
    path           = local.path
    uri            = "http://${name}.${aws_service_discovery_private_dns_namespace.this.name}:${local.ports.peer}"
    first          = local.first
    api_key_arn    = var.api_key_arn
    log_group      = var.log_group
    region         = var.region
  })) }
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${var.name}.internal"
  description = "DNS names of the index nodes."
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "node" {
  for_each = local.nodes
  name     = each.key

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10 # clients soon find a node that moved to another machine
    }
  }
}

resource "aws_ecs_task_definition" "node" {
  for_each                 = local.tasks
  family                   = each.value.family
  requires_compatibilities = each.value.requiresCompatibilities
  network_mode             = each.value.networkMode
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = var.roles.task
  execution_role_arn       = var.roles.execution
  container_definitions    = jsonencode(each.value.containerDefinitions)

  dynamic "volume" {
    for_each = each.value.volumes

    content {
      name      = volume.value.name
      host_path = try(volume.value.host.sourcePath, null)
    }
  }
}

# One node after the other: an index of three goes on with two.

locals {
  services = { for name, node in local.nodes : name => {
    name                = name
    cluster_arn         = var.cluster.arn
    task_definition_arn = aws_ecs_task_definition.node[name].arn
    subnet              = node.subnet
    registry_arn        = aws_service_discovery_service.node[name].arn
  } }
}

module "first" {
  source              = "../node"
  name                = local.services[local.order[0]].name
  cluster_arn         = local.services[local.order[0]].cluster_arn
  task_definition_arn = local.services[local.order[0]].task_definition_arn
  subnet              = local.services[local.order[0]].subnet
  registry_arn        = local.services[local.order[0]].registry_arn
  security_group      = var.security_groups.index
  target_group_arn    = aws_lb_target_group.this.arn
  port                = local.ports.grpc
  depends_on          = [aws_lb_listener.this]
}

module "second" {
  source              = "../node"
  name                = local.services[local.order[1]].name
  cluster_arn         = local.services[local.order[1]].cluster_arn
  task_definition_arn = local.services[local.order[1]].task_definition_arn
  subnet              = local.services[local.order[1]].subnet
  registry_arn        = local.services[local.order[1]].registry_arn
  security_group      = var.security_groups.index
  target_group_arn    = aws_lb_target_group.this.arn
  port                = local.ports.grpc
  depends_on          = [module.first]
}

module "third" {
  source              = "../node"
  name                = local.services[local.order[2]].name
  cluster_arn         = local.services[local.order[2]].cluster_arn
  task_definition_arn = local.services[local.order[2]].task_definition_arn
  subnet              = local.services[local.order[2]].subnet
  registry_arn        = local.services[local.order[2]].registry_arn
  security_group      = var.security_groups.index
  target_group_arn    = aws_lb_target_group.this.arn
  port                = local.ports.grpc
  depends_on          = [module.second]
}
