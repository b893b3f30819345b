# Alarms and their subscribers.

module "observability" {
  source       = "../observability"
  name         = local.name
  account_id   = var.account_id
  region       = var.region
  partition    = local.partition
  key_arn      = module.keys.arns["telemetry"]
  subscribers  = var.subscribers
  kafka        = { name = module.kafka.name, broker_ids = module.kafka.broker_ids }
  cluster_name = module.cluster.name
  namespace    = local.name
  copies       = module.buckets.copied
  vaults       = module.backup[*].vault
  others       = merge(concat(module.functions[*].drawn, module.api[*].drawn, module.workflow[*].drawn, module.workflow_functions[*].drawn, module.canary[*].drawn, module.hosted_models[*].drawn)...)
  background   = { for name, size in local.background : name => { min_tasks = size.min_tasks, group = try(size.group, null), topic = try(size.reads, null) } }

  workers = { for name, worker in local.workers : name => {
    group      = worker.group
    topic      = worker.reads
    target_lag = local.sizes.roles[worker.role].target_lag
    min_tasks  = local.sizes.roles[worker.role].min_tasks
    max_tasks  = local.sizes.roles[worker.role].max_tasks
  } }

  services = var.services == null ? null : {
    load_balancer = module.balancer[0].metrics.load_balancer
    tables        = local.table_names
    cache_nodes   = module.cache[0].nodes
    services = { for name, size in local.services : name => {
      target_group = module.balancer[0].metrics.target_groups[name]
      min_tasks    = size.min_tasks
      slow_s       = name == "rag" ? 5 : 1 # a language model may need seconds to begin
    } }
  }

  index = {
    nodes         = module.index.nodes
    load_balancer = module.index.metrics.load_balancer
    target_group  = module.index.metrics.target_group
  }
}

module "budget" {
  source      = "../budget"
  count       = var.budget_usd == null ? 0 : 1
  name        = local.global_name
  environment = var.environment
  limit_usd   = var.budget_usd
  topics      = module.observability.topics
}
