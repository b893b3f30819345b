# The workflow of new tickets: its functions and its state machine.

locals {
  machine_arn = "arn:${local.partition}:states:${var.region}:${var.account_id}:stateMachine:${local.name}-workflow"
}

module "workflow_functions" {
  source       = "../workflow_functions"
  count        = var.workflow == null ? 0 : 1
  name         = local.name
  global_name  = local.global_name
  account_id   = var.account_id
  region       = var.region
  partition    = local.partition
  zips         = var.functions.zips
  architecture = var.functions.architecture
  machine_arn  = local.machine_arn
  rag_url      = "https://${var.services.domain}"
  token_url    = var.workflow.token_url != null ? var.workflow.token_url : "https://${module.sign_in[0].domain}.auth.${var.region}.amazoncognito.com/oauth2/token"
  secret       = { arn = module.secrets.arns["workflow-client"], key_arn = module.keys.arns["secrets"] }
  settings     = var.workflow.settings
  key_arn      = module.keys.arns["data"]
  log_key_arn  = module.keys.arns["telemetry"]
  log_days     = var.log_days
  topics       = module.observability.topics

  permissions_boundary = var.permissions_boundary

  network = {
    subnets         = values(module.network.private_subnets)
    security_groups = { functions = module.network.security_groups["functions"] }
  }

  tables = {
    arns        = local.table_arns
    prefix      = local.table_prefix
    key_arn     = local.tables_key_arn
    with_stream = contains(keys(local.table_streams), "Tickets")
    stream      = lookup(local.table_streams, "Tickets", null)
  }
}

module "workflow" {
  source      = "../workflow"
  count       = var.workflow == null ? 0 : 1
  name        = local.name
  global_name = local.global_name
  account_id  = var.account_id
  region      = var.region
  partition   = local.partition
  functions   = { for step in ["classify", "find", "answer", "decide"] : step => module.workflow_functions[0].arns["workflow_${step}"] }
  subscribers = var.workflow.subscribers
  key_arn     = module.keys.arns["data"]
  log_key_arn = module.keys.arns["telemetry"]
  log_days    = var.log_days
  topics      = module.observability.topics

  permissions_boundary = var.permissions_boundary
}
