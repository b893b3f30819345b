# The buckets of the stream: the raw archive and agents' verdicts, which hold personal data, and the access logs of all
# buckets.

locals {
  buckets = {
    archive  = { replaced_days = 30, classes = { STANDARD_IA = 30, GLACIER_IR = 90 } }
    feedback = { replaced_days = 30, classes = { STANDARD_IA = 30 } }
  }

  names  = { for name in concat(keys(local.buckets), ["logs"]) : name => "${var.global_name}-${name}-${var.account_id}" }
  logged = merge({ for name in keys(local.buckets) : name => local.names[name] }, var.also_logged)
}

module "bucket" {
  source               = "../bucket"
  for_each             = local.buckets
  bucket               = local.names[each.key]
  key_arn              = var.key_arn
  region               = var.region
  force_destroy        = var.force_destroy
  replaced_days        = each.value.replaced_days
  classes              = each.value.classes
  log                  = { bucket = module.logs.bucket, name = each.key }
  permissions_boundary = var.permissions_boundary

  replica = var.replica == null ? null : {
    bucket_arn = var.replica.buckets[each.key]
    region     = var.replica.region
    key_arn    = var.replica.key_arns["events"]
    account_id = var.account_id
  }
}

module "logs" {
  source        = "../bucket"
  bucket        = local.names["logs"]
  encrypted     = false # S3 can't write access logs with a KMS key
  force_destroy = var.force_destroy
  expire_days   = var.log_days
  replaced_days = 1

  logs_of = [for name, bucket in local.logged : { name = name, arn = "arn:${var.partition}:s3:::${bucket}", account_id = var.account_id }]
}
