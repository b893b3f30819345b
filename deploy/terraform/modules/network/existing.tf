# Your own VPC: it is read, checked, and never changed.

data "aws_vpc" "existing" {
  count = local.create ? 0 : 1
  id    = var.existing.vpc_id

  lifecycle {
    postcondition {
      condition     = self.enable_dns_support && self.enable_dns_hostnames
      error_message = "The VPC ${self.id} needs DNS resolution and DNS hostnames, or tasks can't resolve the brokers, the index and private VPC endpoints: set enableDnsSupport and enableDnsHostnames."
    }
  }
}

data "aws_subnet" "private" {
  for_each = local.create ? {} : var.existing.private_subnets
  id       = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.existing.vpc_id && self.availability_zone == each.key
      error_message = "private_subnets gives ${self.id} for the zone ${each.key} of ${var.existing.vpc_id}, but it is in ${self.availability_zone} of ${self.vpc_id}: a node of the index and its disk must be in one zone."
    }

    postcondition {
      condition     = self.available_ip_address_count >= 16
      error_message = "The subnet ${self.id} has ${self.available_ip_address_count} free addresses; each task needs one: give private_subnets subnets with at least 16."
    }
  }
}

data "aws_subnet" "data" {
  for_each = local.create ? {} : var.existing.data_subnets
  id       = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.existing.vpc_id && self.availability_zone == each.key
      error_message = "data_subnets gives ${self.id} for the zone ${each.key} of ${var.existing.vpc_id}, but it is in ${self.availability_zone} of ${self.vpc_id}: each broker must be in a zone of its own."
    }
  }
}
