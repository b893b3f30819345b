# Tests of the validations of the module kafka.

mock_provider "aws" {}

variables {
  name           = "ticketstream"
  kafka_version  = "3.9.x.kraft"
  subnets        = ["subnet-a", "subnet-b", "subnet-c"]
  security_group = "sg-1"
  instance_type  = "kafka.m7g.large"
  volume_gib     = 100
  volume_max_gib = 200
  authentication = "iam"
  scram_secrets  = []
  log_days       = 30
  keep_data      = true
  key_arn        = "arn:aws:kms:us-east-1:123456789012:key/one"
  log_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/two"
  topics         = [{ name = "tickets.raw", partitions = 12, replication = 3, config = { "min.insync.replicas" = "2" } }]

  server_properties = <<-TEXT
    auto.create.topics.enable=false
    default.replication.factor=3
    min.insync.replicas=2
    unclean.leader.election.enable=false
    # a reason
    allow.everyone.if.no.acl.found=false
  TEXT
}

run "sound" {
  command = plan

  module {
    source = "../kafka"
  }

  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS"
    error_message = "Clients must use TLS."
  }

  assert {
    condition     = !strcontains(aws_msk_configuration.this[0].server_properties, "#")
    error_message = "MSK's configuration must have no comments."
  }
}

run "refuses_topics_with_two_copies" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    topics = [{ name = "tickets.raw", partitions = 12, replication = 2, config = { "min.insync.replicas" = "1" } }]
  }

  expect_failures = [var.topics]
}

run "refuses_an_ack_of_one_copy" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    topics = [{ name = "tickets.raw", partitions = 12, replication = 3, config = { "min.insync.replicas" = "1" } }]
  }

  expect_failures = [var.topics]
}

run "refuses_access_without_acls" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    server_properties = <<-TEXT
      auto.create.topics.enable=false
      default.replication.factor=3
      min.insync.replicas=2
      unclean.leader.election.enable=false
    TEXT
  }

  expect_failures = [var.server_properties]
}

run "refuses_two_brokers" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    subnets = ["subnet-a", "subnet-b"]
  }

  expect_failures = [var.subnets]
}

run "refuses_scram_without_a_secret" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    authentication = "scram"
  }

  expect_failures = [var.scram_secrets]
}

run "your_cluster" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    existing = { arn = "arn:aws:kafka:us-east-1:123456789012:cluster/yours/01234567-1" }
    subnets  = []
  }

  override_data {
    target = data.aws_msk_cluster.existing[0]
    values = {
      arn                        = "arn:aws:kafka:us-east-1:123456789012:cluster/yours/01234567-1"
      number_of_broker_nodes     = 6
      bootstrap_brokers_sasl_iam = "b-1.yours:9098"
    }
  }

  assert {
    condition     = output.brokers == "b-1.yours:9098" && output.name == "yours" && length(output.broker_ids) == 6
    error_message = "Brokers, name and broker ids must be those of the cluster that was looked up."
  }

  assert {
    condition     = length(aws_msk_cluster.this) + length(aws_msk_configuration.this) + length(aws_appautoscaling_target.storage) + length(terraform_data.keeps_log) == 0
    error_message = "With your cluster nothing of it may be created."
  }
}

run "refuses_your_cluster_without_the_listener" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    existing = { arn = "arn:aws:kafka:us-east-1:123456789012:cluster/yours/01234567-1" }
    subnets  = []
  }

  override_data {
    target = data.aws_msk_cluster.existing[0]
    values = {
      arn                        = "arn:aws:kafka:us-east-1:123456789012:cluster/yours/01234567-1"
      number_of_broker_nodes     = 3
      bootstrap_brokers_sasl_iam = ""
    }
  }

  expect_failures = [data.aws_msk_cluster.existing]
}

run "refuses_an_arn_that_names_no_cluster" {
  command = plan

  module {
    source = "../kafka"
  }

  variables {
    existing = { arn = "yours", brokers = "b-1.yours:9098" }
    subnets  = []
  }

  expect_failures = [var.existing]
}
