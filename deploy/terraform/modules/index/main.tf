# Three Qdrant nodes. Each is an ECS service with one task, one machine, one zone, one disk and one name, so a node that
# returns is the same peer with the same data. In one service of three tasks it would have a new name and an empty disk.

locals {
  nodes = { for i, zone in sort(keys(var.subnets)) : "qdrant-${i}" => { zone = zone, subnet = var.subnets[zone] } }
  ports = { http = 6333, grpc = 6334, peer = 6335 }
  path  = "/var/lib/qdrant"
  owner = "1000:1000" # the user of Qdrant's unprivileged image
  first = "http://qdrant-0.${aws_service_discovery_private_dns_namespace.this.name}:${local.ports.peer}"

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

resource "aws_ecs_service" "node" {
  for_each        = local.nodes
  name            = each.key
  cluster         = var.cluster.arn
  task_definition = aws_ecs_task_definition.node[each.key].arn
  desired_count   = 1
  launch_type     = "EC2"
  propagate_tags  = "SERVICE"

  availability_zone_rebalancing = "DISABLED" # the disk is in one zone

  # Only one task can use the disk, so the old task stops before the new one starts.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 300 # loading segments takes time and is not a failure

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:node == ${each.key}"
  }

  network_configuration {
    subnets         = [each.value.subnet]
    security_groups = [var.security_groups.index]
  }

  service_registries {
    registry_arn = aws_service_discovery_service.node[each.key].arn
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "qdrant"
    container_port   = local.ports.grpc
  }

  depends_on = [aws_lb_listener.this]
}
