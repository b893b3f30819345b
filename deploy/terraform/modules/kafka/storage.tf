# Disks grow at 55 % use (MSK advises 50 to 60), at most once in six hours, by 10 % or 10 GiB.

resource "aws_appautoscaling_target" "storage" {
  count              = local.create ? 1 : 0
  service_namespace  = "kafka"
  resource_id        = aws_msk_cluster.this[0].arn
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  min_capacity       = 1
  max_capacity       = var.volume_max_gib

  lifecycle {
    # AWS raises the minimum with the disk, which never shrinks.
    ignore_changes = [min_capacity]
  }
}

resource "aws_appautoscaling_policy" "storage" {
  count              = local.create ? 1 : 0
  name               = "${var.name}-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.storage[0].service_namespace
  resource_id        = aws_appautoscaling_target.storage[0].resource_id
  scalable_dimension = aws_appautoscaling_target.storage[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value     = 55
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}
