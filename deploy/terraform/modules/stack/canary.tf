# The canary, which asks the public address as a user does.

module "canary" {
  source       = "../canary"
  count        = var.canary == null ? 0 : 1
  name         = local.name
  global_name  = local.global_name
  account_id   = var.account_id
  region       = var.region
  partition    = local.partition
  zips         = var.functions.zips
  architecture = var.functions.architecture
  url          = var.canary.url != null ? var.canary.url : trimsuffix(module.api[0].url, "/")
  question     = var.canary.question
  secret       = { arn = module.secrets.arns["canary-user"], key_arn = module.keys.arns["secrets"] }
  key_arn      = module.keys.arns["data"]
  log_key_arn  = module.keys.arns["telemetry"]
  log_days     = var.log_days
  topics       = module.observability.topics

  permissions_boundary = var.permissions_boundary
}
