# The HTTP services `rag` (search, answers and the page) and `tickets`: their stores, their address and their tasks.

locals {
  # The model that questions are embedded with, and whose collection is searched.
  searched = var.services == null ? null : coalesce(var.services.model, local.first)

  table_actions = {
    rag = {
      Feedback     = { actions = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"] }
      UserSessions = { actions = local.session_actions }
    }
    tickets = {
      Tickets        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], by_index = ["dynamodb:Query"] }
      TicketMetadata = { actions = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"] }
      UserSessions   = { actions = local.session_actions }
    }
  }
  session_actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]

  service_rights = { for name in keys(local.services) : name => {
    reads   = []
    creates = []
    groups  = []
    writes  = name == "rag" ? ["tickets.feedback"] : ["tickets.raw"]
    models  = name == "rag" ? [var.models[local.searched].store] : []
    embeds  = name == "rag" ? local.titan.rag[local.searched] : []
    calls   = name == "rag" ? concat(var.services.language_models, local.guardrail[*].arn) : []
    tables = [for table, rights in local.table_actions[name] : {
      arn      = local.table_arns[table]
      actions  = rights.actions
      by_index = lookup(rights, "by_index", [])
    }]
  } }

  service_environments = { for name in keys(local.services) : name => merge(
    {
      AWS_REGION                      = var.region
      TICKETS_KAFKA__BROKERS          = module.kafka.brokers
      TICKETS_LIMITS__TRUSTED_PROXIES = tostring(1 + try(var.gateway.proxies, 0)) # the load balancer, and those before it
      TICKETS_AUTH__ISSUER            = local.issuer
      TICKETS_CACHE__AWS_REGION       = var.region
    },
    module.kafka.settings,
    local.tracing,
    { for setting, value in { TICKETS_KAFKA__AWS_REGION = var.region } : setting => value if var.kafka.authentication == "iam" },
    module.cache[0].settings,
    { for setting, names in {
      TICKETS_AUTH__CLIENT_IDS = local.client_ids
      TICKETS_AUTH__AUDIENCES  = var.services.audiences
    } : setting => join(",", names) if length(names) > 0 },
    {
      TICKETS_SESSIONS__STORE        = "dynamodb"
      TICKETS_SESSIONS__AWS_REGION   = var.region
      TICKETS_SESSIONS__TABLE_PREFIX = local.table_prefix
    },
    local.own_settings[name],
    var.services.settings,
  ) }

  # A service embeds questions only, so it is in no group.
  own_settings = {
    rag = merge(
      { for setting, value in try(local.by_model[local.searched], {}) : setting => value if setting != "TICKETS_KAFKA__GROUP" },
      try(local.by_index[local.searched], {}),
      {
        TICKETS_MODEL__DEVICE       = "cpu"
        TICKETS_MODEL__THREADS      = tostring(local.sizes.services.rag.vcpu)
        TICKETS_RAG__HOST           = "0.0.0.0"
        TICKETS_RAG__PORT           = tostring(local.sizes.services.rag.port)
        TICKETS_RAG__FEEDBACK_STORE = "dynamodb"
        TICKETS_RAG__AWS_REGION     = var.region
        TICKETS_RAG__TABLE_PREFIX   = local.table_prefix
      },
      { for guardrail in local.guardrail[*] : "TICKETS_LANGUAGE_MODEL__BEDROCK_GUARDRAIL" => guardrail.setting },
    )
    tickets = {
      TICKETS_API__HOST         = "0.0.0.0"
      TICKETS_API__PORT         = tostring(local.sizes.services.tickets.port)
      TICKETS_API__STORE        = "dynamodb"
      TICKETS_API__AWS_REGION   = var.region
      TICKETS_API__TABLE_PREFIX = local.table_prefix
    }
  }

  service_secrets = { for name in keys(local.services) : name => merge(
    local.kafka_secrets,
    { for setting, arn in local.index_secrets : setting => arn if name == "rag" },
    var.services.secrets,
  ) }

  table_prefix = "${local.name}-"
}

module "tables" {
  source    = "../tables"
  count     = var.services == null || var.existing_tables != null ? 0 : 1
  prefix    = local.table_prefix
  key_arn   = module.keys.arns["data"]
  keep_data = var.keep_data
  replica   = var.table_replica
  streams   = local.streamed
}

module "cache" {
  source         = "../cache"
  count          = var.services == null ? 0 : 1
  name           = local.name
  subnets        = values(length(module.network.data_subnets) > 1 ? module.network.data_subnets : module.network.private_subnets)
  security_group = module.network.security_groups["cache"]
  port           = local.cache_port
  node_type      = var.services.cache_node_type
  key_arn        = module.keys.arns["data"]
}

module "balancer" {
  source          = "../balancer"
  count           = var.services == null ? 0 : 1
  name            = local.name
  vpc_id          = module.network.vpc_id
  subnets         = values(module.network.private_subnets)
  security_group  = module.network.security_groups["api"]
  services        = { for name, size in local.services : name => size.port }
  ready           = local.sizes.health.ready
  hidden          = values(local.sizes.health)
  certificate_arn = var.services.certificate_arn
  keep_data       = var.keep_data
}

module "service" {
  source             = "../service"
  for_each           = local.services
  name               = each.key
  template           = "${local.ecs}/${each.key}.json"
  environment        = local.service_environments[each.key]
  secrets            = local.service_secrets[each.key]
  cluster_arn        = module.cluster.arn
  task_role_arn      = module.identity.task_roles[each.key]
  execution_role_arn = module.identity.execution_roles[each.key]
  subnets            = values(module.network.private_subnets)
  security_group     = module.network.security_groups["services"]
  capacity_provider  = "FARGATE"
  tasks              = each.value.min_tasks
  target             = { group_arn = module.balancer[0].target_groups[each.key], port = each.value.port }
  depends_on         = [aws_ecs_cluster_capacity_providers.this, module.index] # `rag` isn't ready without the index

  values = merge(local.task_values, {
    vcpu       = each.value.vcpu
    memory_mib = each.value.memory_mib
    image      = "${module.registry.urls["pipeline"]}:${var.image_tag}"
    module     = each.value.module
    port       = each.value.port
    log_group  = module.cluster.log_groups[each.key]
    prepare = templatefile("${local.ecs}/prepare.json", {
      image     = "${module.registry.urls["pipeline"]}:${var.image_tag}"
      cache_dir = local.cache_dir
      log_group = module.cluster.log_groups[each.key]
      region    = var.region
    })
    collector = templatefile("${local.ecs}/collector.json", {
      image     = var.images.collector
      log_group = module.cluster.log_groups[each.key]
      region    = var.region
      config = jsonencode(templatefile("${local.ecs}/collector.yaml", {
        worker    = each.key
        port      = each.value.port
        metrics   = local.sizes.health.metrics
        region    = var.region
        namespace = local.name
        log_group = module.cluster.metrics_log_group
      }))
    })
  })
}

module "request_scaling" {
  source              = "../request_scaling"
  for_each            = local.services
  cluster_name        = module.cluster.name
  service_name        = module.service[each.key].name
  load_balancer       = module.balancer[0].metrics.load_balancer
  target_group        = module.balancer[0].metrics.target_groups[each.key]
  requests_per_task_s = each.value.requests_per_task_s
  min_tasks           = each.value.min_tasks
  max_tasks           = each.value.max_tasks
}
