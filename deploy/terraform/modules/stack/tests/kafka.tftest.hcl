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
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS"
    error_message = "Clients must use TLS."
  }

  assert {
    condition     = !strcontains(aws_msk_configuration.this.server_properties, "#")
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
