# The service of one Qdrant node.

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = var.cluster_arn
  task_definition = var.task_definition_arn
  desired_count   = 1
  launch_type     = "EC2"
  propagate_tags  = "SERVICE"

  availability_zone_rebalancing = "DISABLED" # the disk is in one zone

  # Only one task can use the disk, so the old task stops before the new one starts.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  health_check_grace_period_seconds  = 300 # loading segments takes time and is not a failure

  # The apply goes on with the next node when this one is ready again, and stops if it never is.
  wait_for_steady_state = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:node == ${var.name}"
  }

  network_configuration {
    subnets         = [var.subnet]
    security_groups = [var.security_group]
  }

  service_registries {
    registry_arn = var.registry_arn
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "qdrant"
    container_port   = var.port
  }

  timeouts {
    create = "30m"
    update = "30m"
  }
}
