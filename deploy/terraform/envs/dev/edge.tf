# The public address. CloudFront takes its certificate, firewall and logs from us-east-1.

locals {
  # Keys and topics can be used in their own region only, and names there are taken by a stack at home.
  at_home = var.region == "us-east-1"
}

module "edge_firewall" {
  source      = "../../modules/firewall"
  count       = var.edge == null ? 0 : 1
  providers   = { aws = aws.us_east_1 }
  name        = "${module.ticketstream.global_name}-edge"
  scope       = "CLOUDFRONT"
  log_key_arn = local.at_home ? module.ticketstream.telemetry.key_arn : null
}

module "edge" {
  source            = "../../modules/edge"
  count             = var.edge == null ? 0 : 1
  providers         = { aws = aws, aws.us_east_1 = aws.us_east_1 }
  name              = local.at_home ? module.ticketstream.name : module.ticketstream.global_name
  global_name       = module.ticketstream.global_name
  account_id        = var.account_id
  domain            = var.edge.domain
  zone_id           = var.edge.zone_id
  api               = var.edge.api == null ? module.ticketstream.gateway.origin : var.edge.api
  origin_secret     = var.origin_secret
  pages             = "${path.module}/../../../../web"
  page              = var.edge.page
  web_acl_arn       = module.edge_firewall[0].arn
  web_acl_metric    = module.edge_firewall[0].metrics.acl
  price_class       = var.edge.price_class
  blocked_countries = var.edge.blocked_countries
  topics            = local.at_home ? module.ticketstream.telemetry.topics : {}
  log_key_arn       = local.at_home ? module.ticketstream.telemetry.key_arn : null
  force_destroy     = true
}

# The REST API has an address of its own. Behind CloudFront it sees CloudFront's addresses, so CloudFront's firewall counts
# the senders, and `origin_secret` keeps them from bypassing it.
module "api_firewall" {
  source               = "../../modules/firewall"
  count                = var.gateway == null ? 0 : 1
  name                 = "${module.ticketstream.global_name}-api"
  scope                = "REGIONAL"
  protects             = { api = module.ticketstream.gateway.stage_arn }
  requests_per_address = var.edge == null ? 1000 : null
  stage                = "/live"
  origin_secret        = var.edge == null ? null : var.origin_secret
  log_key_arn          = module.ticketstream.telemetry.key_arn
}
