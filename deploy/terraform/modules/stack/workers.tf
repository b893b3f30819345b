# Each role runs once per model. Enrichment chunks with the model's tokenizer, so it too depends on the model.

locals {
  roles = var.mode == "single" ? ["pipeline"] : ["enrichment", "embedding"]

  workers = merge([for role in local.roles : {
    for model, spec in var.models : "${role}-${model}" => {
      role    = role
      model   = model
      indexes = role != "enrichment"
      on_gpu  = role == "embedding" && var.gpu != null
      # A role appends its name to the group: ticketstream becomes ticketstream-embedding.
      group      = "${spec.group}${trimprefix(local.sizes.roles[role].group, "ticketstream")}"
      reads      = lookup(local.renamed[model], local.sizes.roles[role].reads, local.sizes.roles[role].reads)
      writes     = [for topic in local.sizes.roles[role].writes : lookup(local.renamed[model], topic, topic)]
      partitions = local.partitions[local.sizes.roles[role].reads]
      tag        = coalesce(spec.image_tag, var.image_tag)
    }
  }]...)

  # The topics of each model, by their declared names.
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
  template = "${local.ecs}/${local.templates[each.value.role]}"

  values = merge(local.task_values, {
    image     = "${module.registry.urls[each.value.on_gpu ? "pipeline-gpu" : "pipeline"]}:${each.value.tag}"
    module    = local.sizes.roles[each.value.role].module
    port      = local.sizes.roles[each.value.role].port
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
        port      = local.sizes.roles[each.value.role].port
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
  tasks              = local.sizes.roles[each.value.role].min_tasks

  # A worker ends without the index, and ECS gives up a new service after three tasks that end.
  depends_on = [aws_ecs_cluster_capacity_providers.this, module.index]
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
  target_lag   = local.sizes.roles[each.value.role].target_lag
  min_tasks    = local.sizes.roles[each.value.role].min_tasks
  max_tasks    = local.sizes.roles[each.value.role].max_tasks
}

# Commands that are run by hand, one task at a time: `ticketstream topics`, `reconcile`, `rebuild`, `dlq`.
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
