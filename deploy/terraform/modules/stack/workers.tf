# What runs. A stage that knows a model runs once per model, the enrichment once for all of them.

locals {
  embeds = var.mode == "single" ? "pipeline" : "embedding"

  # A stage adds its name to the group it is given: ticketstream -> ticketstream-embedding.
  suffixes = { for stage, size in local.sizes.stages : stage => trimprefix(size.group, "ticketstream") }

  workers = merge(
    { for model, spec in var.models : "${local.embeds}-${model}" => {
      stage  = local.embeds
      model  = model
      base   = spec.group
      group  = "${spec.group}${local.suffixes[local.embeds]}"
      reads  = local.sizes.stages[local.embeds].reads
      writes = [for topic in local.sizes.stages[local.embeds].writes : topic == "tickets.embedded" ? spec.embedded_topic : topic]
      image  = "${module.registry.urls[var.gpu == null ? "pipeline" : "pipeline-gpu"]}:${coalesce(spec.image_tag, var.image_tag)}"
    } },
    { for stage in ["enrichment"] : stage => {
      stage  = stage
      model  = ""
      base   = "ticketstream"
      group  = local.sizes.stages[stage].group
      reads  = local.sizes.stages[stage].reads
      writes = local.sizes.stages[stage].writes
      image  = "${module.registry.urls["pipeline"]}:${var.image_tag}"
    } if var.mode == "staged" },
  )

  templates = {
    pipeline   = "pipeline.json"
    enrichment = "enrichment.json"
    embedding  = var.gpu == null ? "embedding.json" : "embedding-gpu.json"
  }
}

module "worker" {
  source   = "../service"
  for_each = local.workers
  name     = each.key
  template = "${local.ecs}/${local.templates[each.value.stage]}"

  values = merge(local.task_values, {
    image     = each.value.image
    module    = local.sizes.stages[each.value.stage].module
    port      = local.sizes.stages[each.value.stage].port
    log_group = module.cluster.log_groups[each.key]
    collector = templatefile("${local.ecs}/collector.json", {
      image     = var.images.collector
      log_group = module.cluster.log_groups[each.key]
      region    = var.region
      config = jsonencode(templatefile("${local.ecs}/collector.yaml", {
        worker    = each.key
        port      = local.sizes.stages[each.value.stage].port
        metrics   = local.sizes.health.metrics
        region    = var.region
        namespace = local.name
        log_group = module.cluster.metrics_log_group
      }))
    })
  })

  environment        = local.environments[each.key]
  secrets            = local.secrets[each.key]
  cluster_arn        = module.cluster.arn
  task_role_arn      = module.identity.task_roles[each.key]
  execution_role_arn = module.identity.execution_roles[each.key]
  subnets            = values(module.network.private_subnets)
  security_group     = module.network.security_groups["workers"]
  capacity_provider  = each.value.stage == "embedding" && var.gpu != null ? one(module.gpu[*].provider_name) : "FARGATE"
  tasks              = local.sizes.stages[each.value.stage].min_tasks
  depends_on         = [aws_ecs_cluster_capacity_providers.this]
}

module "scaling" {
  source       = "../scaling"
  for_each     = local.workers
  cluster_name = module.cluster.name
  service_name = module.worker[each.key].name
  kafka_name   = module.kafka.name
  group        = each.value.group
  topic        = each.value.reads
  partitions   = local.partitions[each.value.reads]
  target_lag   = local.sizes.stages[each.value.stage].target_lag
  min_tasks    = local.sizes.stages[each.value.stage].min_tasks
  max_tasks    = local.sizes.stages[each.value.stage].max_tasks
}

# What is run by hand, one task at a time: `ticketstream topics`, `reconcile`, `rebuild`, `dlq`.
module "operator" {
  source             = "../service"
  name               = "operator"
  template           = "${local.ecs}/operator.json"
  environment        = local.environments["operator"]
  secrets            = local.secrets["operator"]
  cluster_arn        = module.cluster.arn
  task_role_arn      = module.identity.task_roles["operator"]
  execution_role_arn = module.identity.execution_roles["operator"]
  subnets            = values(module.network.private_subnets)
  security_group     = module.network.security_groups["workers"]
  capacity_provider  = "FARGATE"
  tasks              = 0

  values = merge(local.task_values, {
    image     = "${module.registry.urls["pipeline"]}:${var.image_tag}"
    log_group = module.cluster.log_groups["operator"]
  })
}
