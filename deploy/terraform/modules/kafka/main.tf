# An MSK cluster with a broker in each of three zones. With a cluster of yours (existing.tf) nothing of this is created.

locals {
  create = var.existing == null
}

resource "aws_cloudwatch_log_group" "brokers" {
  #checkov:skip=CKV_AWS_338:A month is enough for an investigation; older broker logs have no use
  count             = local.create ? 1 : 0
  name              = "/${var.name}/brokers"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_msk_cluster" "this" {
  count                  = local.create ? 1 : 0
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = length(var.subnets)
  enhanced_monitoring    = "PER_BROKER" # every level includes consumer lag

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnets
    security_groups = [var.security_group]

    storage_info {
      ebs_storage_info {
        volume_size = var.volume_gib
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.key_arn

    encryption_in_transit {
      client_broker = var.authentication == "plaintext" ? "TLS_PLAINTEXT" : "TLS"
      in_cluster    = true
    }
  }

  client_authentication {
    unauthenticated = var.authentication == "plaintext"

    sasl {
      iam   = var.authentication != "scram"
      scram = var.authentication == "scram"
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.brokers[0].name
      }
    }
  }

  lifecycle {
    # Autoscaling grows the disks, and MSK refuses a plan that shrinks them.
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

resource "aws_msk_scram_secret_association" "this" {
  count           = local.create && var.authentication == "scram" ? 1 : 0
  cluster_arn     = aws_msk_cluster.this[0].arn
  secret_arn_list = var.scram_secrets
}
