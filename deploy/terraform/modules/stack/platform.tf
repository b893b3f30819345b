# Keys, network, Kafka, registry, buckets, secrets, cluster and index.

module "keys" {
  source     = "../keys"
  name       = local.name
  account_id = var.account_id
  region     = var.region
  partition  = local.partition
  keep_data  = var.keep_data
  purposes   = concat(["data", "secrets", "telemetry", "events"], var.keep_data ? ["backup"] : [])
}

module "network" {
  source              = "../network"
  name                = local.name
  global_name         = local.global_name
  region              = var.region
  cidr                = var.network.cidr
  zones               = local.zones
  existing            = var.network.existing
  brokers_group       = try(var.kafka.existing.security_group, null)
  nat_per_zone        = var.network.nat_per_zone
  interface_endpoints = concat(tolist(var.network.interface_endpoints), local.titan_endpoints)
  kafka_port          = module.kafka.port
  log_key_arn         = module.keys.arns["telemetry"]
  log_days            = var.log_days
  service_ports       = { for name, size in local.services : name => size.port }
  cache_port          = local.cache_port
  with_rotation       = var.rotation != null
  with_functions      = local.with_functions
  with_gateway        = var.gateway != null
  with_models         = local.hosted

  permissions_boundary = var.permissions_boundary
}

module "kafka" {
  source            = "../kafka"
  name              = local.name
  existing          = var.kafka.existing
  kafka_version     = var.kafka.version
  subnets           = var.kafka.existing == null ? [for zone in local.zones : module.network.data_subnets[zone]] : []
  security_group    = module.network.security_groups["brokers"]
  instance_type     = var.kafka.instance_type
  volume_gib        = var.kafka.volume_gib
  volume_max_gib    = var.kafka.volume_max_gib
  authentication    = var.kafka.authentication
  scram_secrets     = var.kafka.scram_secrets
  topics            = local.topics
  server_properties = local.server_properties
  keep_data         = var.keep_data
  key_arn           = module.keys.arns["data"]
  log_key_arn       = module.keys.arns["telemetry"]
  log_days          = var.log_days
}

module "registry" {
  source       = "../registry"
  name         = local.name
  repositories = concat(["pipeline", "pipeline-gpu", "qdrant"], local.hosted ? ["encoder"] : [])
  key_arn      = module.keys.arns["data"]
  force_delete = !var.keep_data
}

module "artefacts" {
  source               = "../artefacts"
  bucket               = local.models_bucket
  key_arn              = module.keys.arns["data"]
  region               = var.region
  force_destroy        = !var.keep_data
  log                  = { bucket = module.buckets.names["logs"], name = "models" }
  permissions_boundary = var.permissions_boundary

  replica = var.replica == null ? null : {
    bucket_arn = var.replica.buckets["models"]
    region     = var.replica.region
    key_arn    = var.replica.key_arns["data"]
    account_id = var.account_id
  }
}

module "secrets" {
  source        = "../secrets"
  name          = local.name
  secrets       = local.secrets_wanted
  key_arn       = module.keys.arns["secrets"]
  recovery_days = var.keep_data ? 30 : 0
}

module "cluster" {
  source   = "../cluster"
  name     = local.name
  tasks    = keys(local.tasks)
  key_arn  = module.keys.arns["telemetry"]
  log_days = var.log_days
}

module "gpu" {
  source          = "../capacity"
  count           = var.gpu == null ? 0 : 1
  name            = "${local.name}-gpu"
  global_name     = "${local.global_name}-gpu"
  cluster_name    = module.cluster.name
  node            = "gpu"
  subnets         = values(module.network.private_subnets)
  security_group  = module.network.security_groups["hosts"]
  instance_type   = var.gpu.instance_type
  image_parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id"
  machines        = { min = 0, max = local.sizes.roles.embedding.max_tasks, managed = true }
  region          = var.region
  partition       = local.partition

  max_lifetime_days    = 30
  permissions_boundary = var.permissions_boundary
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = module.cluster.name
  capacity_providers = concat(["FARGATE"], module.gpu[*].provider_name)
}

module "index" {
  source          = "../index"
  name            = local.name
  global_name     = local.global_name
  region          = var.region
  vpc_id          = module.network.vpc_id
  subnets         = module.network.private_subnets
  security_groups = { for name in ["index", "entry", "hosts"] : name => module.network.security_groups[name] }
  cluster         = { name = module.cluster.name, arn = module.cluster.arn }
  image           = var.images.qdrant
  template        = "${local.ecs}/qdrant.json"
  instance_type   = var.index.instance_type
  node            = { cpu = var.index.cpu, memory_mib = var.index.memory_mib }
  volume_gib      = var.index.volume_gib
  replication     = var.index.replication
  api_key_arn     = module.secrets.arns["index-api-key"]
  certificate_arn = var.index.certificate_arn
  domain          = var.index.domain
  roles           = { task = module.identity.task_roles["qdrant"], execution = module.identity.execution_roles["qdrant"] }
  log_group       = module.cluster.log_groups["qdrant"]
  data_key_arn    = module.keys.arns["data"]
  stop_timeout_s  = local.sizes.stop_timeout_s
  keep_data       = var.keep_data
  partition       = local.partition

  permissions_boundary = var.permissions_boundary
}
