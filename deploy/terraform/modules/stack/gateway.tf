# The Lambda functions, the user pool, and the REST API in front of the functions and the RAG service.

locals {
  with_functions = var.functions != null
  rotates        = var.rotation != null && try(var.rotation.function, null) == null

  issuer     = var.sign_in == null ? try(var.services.issuer, null) : module.sign_in[0].issuer
  client_ids = concat(try(var.services.client_ids, []), flatten([for sign_in in module.sign_in : values(sign_in.client_ids)]))
}

module "functions" {
  source       = "../functions"
  count        = local.with_functions ? 1 : 0
  name         = local.name
  global_name  = local.global_name
  account_id   = var.account_id
  region       = var.region
  partition    = local.partition
  zips         = var.functions.zips
  architecture = var.functions.architecture
  raw          = var.functions.raw
  rag_url      = "https://${var.services.domain}"
  proxies      = try(var.gateway.proxies, 1)
  callers      = merge(module.api[*].callers...)
  pools        = { for sign_in in module.sign_in : "stack" => sign_in.pool.arn }
  key_arn      = module.keys.arns["data"]
  log_key_arn  = module.keys.arns["telemetry"]
  log_days     = var.log_days
  topics       = module.observability.topics

  permissions_boundary = var.permissions_boundary

  cache = { arns = module.cache[0].arns, settings = merge(module.cache[0].settings, { TICKETS_CACHE__AWS_REGION = var.region }) }

  # Without a function of yours, ours rotates.
  network = {
    subnets         = values(module.network.private_subnets)
    security_groups = { for name in concat(["functions"], local.rotates ? ["rotation"] : []) : name => module.network.security_groups[name] }
  }

  tables = {
    arns          = local.table_arns
    prefix        = local.table_prefix
    key_arn       = local.tables_key_arn
    with_stream   = contains(keys(local.table_streams), "TicketMetadata")
    outbox_stream = lookup(local.table_streams, "TicketMetadata", null)
  }

  kafka = {
    arn      = module.kafka.arn
    settings = merge({ TICKETS_KAFKA__BROKERS = module.kafka.brokers, TICKETS_KAFKA__AWS_REGION = var.region }, module.kafka.settings)
  }

  api_settings = merge(
    { for setting, value in local.service_environments["tickets"] : setting => value if startswith(setting, "TICKETS_AUTH__") || startswith(setting, "TICKETS_SESSIONS__") },
    var.services.settings,
  )
}

module "sign_in" {
  source             = "../sign_in"
  count              = var.sign_in == null ? 0 : 1
  name               = local.name
  domain_prefix      = var.sign_in.domain_prefix
  callback_urls      = var.sign_in.callback_urls
  logout_urls        = var.sign_in.logout_urls
  mfa                = var.sign_in.mfa
  identity_providers = var.sign_in.identity_providers
  pre_token_arn      = module.functions[0].pre_token_arn
  with_workflow      = var.workflow != null
  keep_data          = var.keep_data
}

module "api" {
  source           = "../api"
  count            = var.gateway == null ? 0 : 1
  name             = local.name
  global_name      = local.global_name
  partition        = local.partition
  pool_arn         = module.sign_in[0].pool.arn
  scopes           = module.sign_in[0].scopes
  functions        = { for name in ["responses", "tickets"] : name => module.functions[0].invoke_arns[name] }
  rag_url          = "https://${var.services.domain}"
  programs         = var.gateway.programs
  limits           = var.gateway.limits
  stream_answers   = var.gateway.stream_answers
  set_account_role = var.gateway.set_account_role
  log_key_arn      = module.keys.arns["telemetry"]
  log_days         = var.log_days
  topics           = module.observability.topics
  keep_data        = var.keep_data

  permissions_boundary = var.permissions_boundary

  link = {
    vpc_id            = module.network.vpc_id
    subnets           = values(module.network.private_subnets)
    security_group    = module.network.security_groups["link"]
    load_balancer_arn = module.balancer[0].arn
  }
}
