# Target tracking on the group's lag per running task; the target is the work of one task in `catch_up_s`. MSK gives no
# lag while the group rebalances; the number of tasks then stays.

resource "aws_appautoscaling_target" "tasks" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${var.service_name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "lag" {
  name               = "${var.service_name}-lag"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.target_lag
    scale_out_cooldown = 120 # a task loads its model and joins; the lag shows it a minute later
    scale_in_cooldown  = 600 # each removal moves partitions

    customized_metric_specification {
      metrics {
        id          = "lag_per_task"
        expression  = "lag / tasks"
        label       = "Lag per task"
        return_data = true
      }

      metrics {
        id          = "lag"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/Kafka"
            metric_name = "SumOffsetLag"

            dynamic "dimensions" {
              for_each = { "Cluster Name" = var.kafka_name, "Consumer Group" = var.group, "Topic" = var.topic }

              content {
                name  = dimensions.key
                value = dimensions.value
              }
            }
          }
        }
      }

      metrics {
        id          = "tasks"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dynamic "dimensions" {
              for_each = { ClusterName = var.cluster_name, ServiceName = var.service_name }

              content {
                name  = dimensions.key
                value = dimensions.value
              }
            }
          }
        }
      }
    }
  }
}
