# Three zones, each with a public subnet (NAT gateway only), a private one (tasks) and a data one (brokers; no egress).
# In your own VPC (existing.tf) nothing of this, of routes.tf, endpoints.tf or flow_logs.tf is created.

locals {
  create = var.existing == null
  zones  = local.create ? { for i, zone in var.zones : zone => i } : {}
  nats   = { for zone, i in local.zones : zone => i if var.nat_per_zone || i == 0 }
  vpc_id = local.create ? one(aws_vpc.this[*].id) : var.existing.vpc_id
}

resource "aws_vpc" "this" {
  count                = local.create ? 1 : 0
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# The default security group denies all traffic.
resource "aws_default_security_group" "none" {
  count  = local.create ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "public" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 8, each.value)
  tags              = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value + 1)
  tags              = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 8, each.value + 128)
  tags              = { Name = "${var.name}-data-${each.key}" }
}
