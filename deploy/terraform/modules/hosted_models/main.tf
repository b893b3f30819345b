# Models on SageMaker: the encoder behind an endpoint (docs/encoder.md), and the registry of label models (docs/labels.md).

locals {
  endpoint = "${var.name}-encoder"
  variant  = "all"
  arn      = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}"
  bucket   = "arn:${var.partition}:s3:::${var.models.bucket}"
  # These machines encrypt their local disk themselves, and SageMaker refuses another key for them.
  own_disk = can(regex("^ml\\.([cmr]\\d[a-z]*d|g\\d\\w*|p[45]\\w*)\\.", try(var.endpoint.instance_type, "")))
  # Prefix of label models in the bucket of models.
  labels = "labels"
}

# A model can't be changed: other settings make another one, under another name.
resource "aws_sagemaker_model" "encoder" {
  #checkov:skip=CKV_AWS_370:The container fetches the embedding model from its bucket, so it needs the network; it is in our VPC and in a security group that nothing can call
  count              = var.endpoint == null ? 0 : 1
  name               = "${local.endpoint}-${substr(sha256(jsonencode([var.image.url, var.environment])), 0, 8)}"
  execution_role_arn = aws_iam_role.this["endpoint"].arn

  primary_container {
    image       = var.image.url
    environment = var.environment
  }

  vpc_config {
    subnets            = [for arn in var.network.subnets : split("/", arn)[1]]
    security_group_ids = [split("/", var.network.security_group)[1]]
  }

  lifecycle {
    create_before_destroy = true
  }

  # SageMaker checks the role when the model is created.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_sagemaker_endpoint_configuration" "encoder" {
  #checkov:skip=CKV_AWS_98:Every machine has our key except those with a local disk, which encrypt it with a key of their own
  count       = var.endpoint == null ? 0 : 1
  name_prefix = "${local.endpoint}-"
  kms_key_arn = local.own_disk ? null : var.models.key_arn

  production_variants {
    variant_name           = local.variant
    model_name             = aws_sagemaker_model.encoder[0].name
    instance_type          = var.endpoint.instance_type
    initial_instance_count = var.endpoint.min_instances

    container_startup_health_check_timeout_in_seconds = 600 # it fetches its model first
  }

  dynamic "data_capture_config" {
    for_each = var.endpoint.capture[*]

    content {
      enable_capture              = true
      initial_sampling_percentage = data_capture_config.value.percent
      destination_s3_uri          = "s3://${data_capture_config.value.bucket}/${data_capture_config.value.prefix}"
      kms_key_id                  = data_capture_config.value.key_arn

      capture_options {
        capture_mode = "InputAndOutput"
      }

      capture_content_type_header {
        json_content_types = ["application/json"]
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A new configuration gets new machines first, and the old ones take over again if the alarm fires.
resource "aws_sagemaker_endpoint" "encoder" {
  count                = var.endpoint == null ? 0 : 1
  name                 = local.endpoint
  endpoint_config_name = aws_sagemaker_endpoint_configuration.encoder[0].name
  depends_on           = [aws_cloudwatch_log_group.encoder]

  deployment_config {
    blue_green_update_policy {
      maximum_execution_timeout_in_seconds = 3600
      termination_wait_in_seconds          = 300

      traffic_routing_configuration {
        type                     = "ALL_AT_ONCE"
        wait_interval_in_seconds = 300
      }
    }

    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.this["errors"].alarm_name
      }
    }
  }
}

# SageMaker chooses the name; without this group the log would be kept for ever.
resource "aws_cloudwatch_log_group" "encoder" {
  #checkov:skip=CKV_AWS_158:Our key serves log groups under our own names only, and SageMaker chooses this one; the log holds no text
  #checkov:skip=CKV_AWS_338:A month is enough, because the log holds no text and nothing that is needed later
  count             = var.endpoint == null ? 0 : 1
  name              = "/aws/sagemaker/Endpoints/${local.endpoint}"
  retention_in_days = var.log_days
}

# One group has the logs of all training jobs of the account and region, which SageMaker would keep for ever.
resource "aws_cloudwatch_log_group" "training" {
  #checkov:skip=CKV_AWS_158:Our key serves log groups under our own names only, and SageMaker chooses this one; the log holds no text
  #checkov:skip=CKV_AWS_338:A month is enough, because the log holds no text and nothing that is needed later
  count             = try(var.training.set_log_days, false) ? 1 : 0
  name              = "/aws/sagemaker/TrainingJobs"
  retention_in_days = var.log_days
}

resource "aws_appautoscaling_target" "encoder" {
  count              = var.endpoint == null ? 0 : 1
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.encoder[0].name}/variant/${local.variant}"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = var.endpoint.min_instances
  max_capacity       = var.endpoint.max_instances
}

resource "aws_appautoscaling_policy" "encoder" {
  count              = var.endpoint == null ? 0 : 1
  name               = "${local.endpoint}-calls"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.encoder[0].service_namespace
  resource_id        = aws_appautoscaling_target.encoder[0].resource_id
  scalable_dimension = aws_appautoscaling_target.encoder[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.endpoint.calls_per_minute
    scale_out_cooldown = 300 # a machine takes minutes to start
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

# `ticketstream model register` adds versions, which somebody approves.
resource "aws_sagemaker_model_package_group" "labels" {
  model_package_group_name        = "${var.name}-labels"
  model_package_group_description = "Label models of tickets: category and priority."
}
