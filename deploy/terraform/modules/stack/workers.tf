# What runs: each stage once per model. The enrichment cuts texts as the model's tokenizer does, so it too is the model's.

locals {
  stages = var.mode == "single" ? ["pipeline"] : ["enrichment", "embedding"]

  workers = merge([for stage in local.stages : {
    for model, spec in var.models : "${stage}-${model}" => {
      stage   = stage
      model   = model
      indexes = stage != "enrichment"
      on_gpu  = stage == "embedding" && var.gpu != null
      # A stage adds its name to the group it is given: ticketstream -> ticketstream-embedding.
      group      = "${spec.group}${trimprefix(local.sizes.stages[stage].group, "ticketstream")}"
      reads      = lookup(local.renamed[model], local.sizes.stages[stage].reads, local.sizes.stages[stage].reads)
      writes     = [for topic in local.sizes.stages[stage].writes : lookup(local.renamed[model], topic, topic)]
      partitions = local.partitions[local.sizes.stages[stage].reads]
      tag        = coalesce(spec.image_tag, var.image_tag)
    }
  }]...)

  # The topics that a model has for itself, by their declared names.
  renamed = { for model, spec in var.models : model => {
    "tickets.enriched" = spec.enriched_topic
    "tickets.embedded" = spec.embedded_topic
  } }

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
    image     = "${module.registry.urls[each.value.on_gpu ? "pipeline-gpu" : "pipeline"]}:${each.value.tag}"
    module    = local.sizes.stages[each.value.stage].module
    port      = local.sizes.stages[each.value.stage].port
    log_group = module.cluster.log_groups[each.key]
    prepare = templatefile("${local.ecs}/prepare.json", {
      image     = "${module.registry.urls[each.value.on_gpu ? "pipeline-gpu" : "pipeline"]}:${each.value.tag}"
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
  capacity_provider  = each.value.on_gpu ? one(module.gpu[*].provider_name) : "FARGATE"
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
  partitions   = each.value.partitions
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
    prepare = templatefile("${local.ecs}/prepare.json", {
      image     = "${module.registry.urls["pipeline"]}:${var.image_tag}"
      cache_dir = local.cache_dir
      log_group = module.cluster.log_groups["operator"]
      region    = var.region
    })
  })
}
