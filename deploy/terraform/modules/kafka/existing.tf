# Your own MSK cluster: it is looked up, checked, and never changed. Its server.properties are yours to set.

locals {
  existing_name = try(split("/", var.existing.arn)[1], null)
  look_up       = var.existing != null && try(var.existing.brokers, null) == null
  found         = one(data.aws_msk_cluster.existing[*])

  existing_count = local.look_up ? local.found.number_of_broker_nodes : try(var.existing.broker_count, 0)
  existing_brokers = local.look_up ? {
    iam       = local.found.bootstrap_brokers_sasl_iam
    scram     = local.found.bootstrap_brokers_sasl_scram
    plaintext = local.found.bootstrap_brokers
  }[var.authentication] : try(var.existing.brokers, null)
}

data "aws_msk_cluster" "existing" {
  count        = local.look_up ? 1 : 0
  cluster_name = local.existing_name

  lifecycle {
    postcondition {
      condition     = self.arn == var.existing.arn
      error_message = "The cluster ${self.cluster_name} of this region has the ARN ${self.arn}, not ${var.existing.arn}."
    }

    postcondition {
      condition     = self.number_of_broker_nodes >= 3
      error_message = "The cluster ${self.cluster_name} has ${self.number_of_broker_nodes} brokers; three copies of each record need at least 3."
    }

    postcondition {
      condition     = { iam = self.bootstrap_brokers_sasl_iam, scram = self.bootstrap_brokers_sasl_scram, plaintext = self.bootstrap_brokers }[var.authentication] != ""
      error_message = "The cluster ${self.cluster_name} has no listener for ${var.authentication}: turn that authentication on, or choose another one."
    }
  }
}
