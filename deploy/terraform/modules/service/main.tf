# A task definition, rendered from its template, and the ECS service that runs it.

locals {
  task = jsondecode(templatefile(var.template, merge(var.values, {
    name        = var.name
    environment = jsonencode([for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }])
    secrets     = jsonencode([for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }])
  })))

  new_first = coalesce(var.new_tasks_first, var.target != null)
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.task.family
  requires_compatibilities = local.task.requiresCompatibilities
  network_mode             = local.task.networkMode
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  task_role_arn            = var.task_role_arn
  execution_role_arn       = var.execution_role_arn
  container_definitions    = jsonencode(local.task.containerDefinitions)

  runtime_platform {
    cpu_architecture        = local.task.runtimePlatform.cpuArchitecture
    operating_system_family = local.task.runtimePlatform.operatingSystemFamily
  }

  dynamic "volume" {
    for_each = local.task.volumes

    content {
      name = volume.value.name
    }
  }
}

resource "aws_ecs_service" "this" {
  count           = var.tasks > 0 ? 1 : 0
  name            = var.name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.tasks
  propagate_tags  = "SERVICE"

  # Without it a change of the capacity provider, such as from Fargate to GPU machines, replaces the service.
  force_new_deployment = true

  # Rebalancing zones needs surplus tasks, and moves the partitions of a worker.
  availability_zone_rebalancing = local.new_first ? "ENABLED" : "DISABLED"

  capacity_provider_strategy {
    capacity_provider = var.capacity_provider
    weight            = 1
  }

  # A deployment of workers starts no surplus tasks, which might get no partition. The remaining tasks take over
  # meanwhile, and the stream lags for seconds. Behind a load balancer new tasks come first.
  deployment_minimum_healthy_percent = local.new_first ? 100 : 50
  deployment_maximum_percent         = local.new_first ? 200 : 100
  health_check_grace_period_seconds  = var.target == null ? null : 120

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [var.security_group]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target == null ? [] : [var.target]

    content {
      target_group_arn = load_balancer.value.group_arn
      container_name   = var.name
      container_port   = load_balancer.value.port
    }
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}
