# Tests of the validations of the module scaling.

mock_provider "aws" {}

variables {
  cluster_name = "ticketstream"
  service_name = "pipeline"
  kafka_name   = "ticketstream"
  group        = "ticketstream"
  topic        = "tickets.raw"
  target_lag   = 30000
  partitions   = 12
  min_tasks    = 2
  max_tasks    = 12
}

run "as_many_tasks_as_partitions" {
  command = plan

  module {
    source = "../scaling"
  }

  assert {
    condition     = output.max_tasks == 12
    error_message = "Twelve tasks for twelve partitions must be allowed."
  }
}

run "refuses_more_tasks_than_partitions" {
  command = plan

  module {
    source = "../scaling"
  }

  variables {
    max_tasks = 13
  }

  expect_failures = [var.max_tasks]
}

run "refuses_a_group_without_lag_metrics" {
  command = plan

  module {
    source = "../scaling"
  }

  variables {
    group = "ticketstream:2"
  }

  expect_failures = [var.group]
}

run "refuses_min_tasks_above_max_tasks" {
  command = plan

  module {
    source = "../scaling"
  }

  variables {
    min_tasks = 9
    max_tasks = 8
  }

  expect_failures = [var.min_tasks]
}
