# The copies in a second region: the buckets' objects and backups, with keys of their own. It is called with a provider of
# that region.

locals {
  # Names contain the first region's code, so that one region can hold the copies of two.
  global_name = "${var.global_name}-copy"
}

module "keys" {
  source     = "../keys"
  name       = local.global_name
  account_id = var.account_id
  region     = var.region
  partition  = data.aws_partition.current.partition
  purposes   = ["data", "events", "backup"]
  keep_data  = !var.force_destroy
}

data "aws_partition" "current" {}

module "bucket" {
  source        = "../bucket"
  for_each      = { archive = "events", feedback = "events", models = "data" }
  bucket        = "${local.global_name}-${each.key}-${var.account_id}"
  key_arn       = module.keys.arns[each.value]
  force_destroy = var.force_destroy
  replaced_days = 30
  log           = { bucket = module.logs.bucket, name = each.key }
}

module "logs" {
  source        = "../bucket"
  bucket        = "${local.global_name}-logs-${var.account_id}"
  encrypted     = false # S3 can't write access logs with a KMS key
  force_destroy = var.force_destroy
  expire_days   = var.log_days
  replaced_days = 1

  logs_of = [for name in ["archive", "feedback", "models"] : {
    name       = name
    arn        = "arn:${data.aws_partition.current.partition}:s3:::${local.global_name}-${name}-${var.account_id}"
    account_id = var.account_id
  }]
}

module "vault" {
  source           = "../vault"
  name             = local.global_name
  key_arn          = module.keys.arns["backup"]
  retention_days   = { min = 3, max = 35 }
  final_after_days = var.final_after_days
  force_destroy    = var.force_destroy
}
