# Buckets of events, their copies in a second region, and backups.

locals {
  models_bucket = coalesce(var.models_bucket, "${local.global_name}-models-${var.account_id}")
}

module "buckets" {
  source               = "../buckets"
  global_name          = local.global_name
  account_id           = var.account_id
  region               = var.region
  partition            = local.partition
  key_arn              = module.keys.arns["events"]
  also_logged          = { models = local.models_bucket }
  log_days             = 90
  force_destroy        = !var.keep_data
  replica              = var.replica
  permissions_boundary = var.permissions_boundary
}

module "backup" {
  source               = "../backup"
  count                = var.keep_data ? 1 : 0
  name                 = local.name
  global_name          = local.global_name
  account_id           = var.account_id
  partition            = local.partition
  key_arn              = module.keys.arns["backup"]
  copy_vault_arn       = try(var.replica.vault, null)
  permissions_boundary = var.permissions_boundary
}
