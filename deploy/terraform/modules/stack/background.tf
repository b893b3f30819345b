# Services without requests: the archiver, which keeps every event in object storage, and the producers, which send the
# lines of files.

locals {
  background = { for name, size in local.sizes.background : name => size if name == "archive" || var.producers != null }

  archive_place = "s3://${module.buckets.names["archive"]}"

  background_rights = {
    archive = {
      reads  = ["tickets.raw"]
      writes = []
      groups = [local.sizes.background.archive.group]
      tables = []
      objects = [{
        bucket_arn  = module.buckets.arns["archive"]
        actions     = ["s3:GetObject", "s3:PutObject"]
        key_arn     = module.keys.arns["events"]
        key_actions = ["kms:Decrypt", "kms:GenerateDataKey"]
      }]
    }
    producer = {
      reads  = []
      writes = ["tickets.raw", local.dlq]
      groups = []
      tables = [for arn in module.checkpoints[*].arn : {
        arn     = arn
        actions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      }]
      objects = [for source in try(var.producers.sources, []) : {
        bucket_arn  = "arn:${local.partition}:s3:::${split("/", trimprefix(source, "s3://"))[0]}"
        prefix      = one(regex("^s3://[^/]+/?([^*?\\[]*)", source))
        actions     = ["s3:GetObject"]
        key_arn     = try(var.producers.source_key_arn, null)
        key_actions = try(var.producers.source_key_arn, null) == null ? [] : ["kms:Decrypt"]
      }]
    }
  }

  background_environments = { for name, size in local.background : name => merge(
    local.shared,
    {
      TICKETS_HEALTH__PORT            = tostring(size.port)
      TICKETS_WRITER__DRAIN_TIMEOUT_S = tostring(max(5, size.stop_timeout_s - 15))
    },
    {
      archive = {
        TICKETS_ARCHIVE__PLACE     = local.archive_place
        TICKETS_ARCHIVE__SPOOL_DIR = local.cache_dir
        TICKETS_KAFKA__GROUP       = trimsuffix(local.sizes.background.archive.group, "-archive")
      }
      producer = {
        TICKETS_PRODUCER__SOURCES    = join(",", try(var.producers.sources, []))
        TICKETS_PRODUCER__STORE      = "dynamodb"
        TICKETS_PRODUCER__TABLE      = one(module.checkpoints[*].name)
        TICKETS_PRODUCER__AWS_REGION = var.region
      }
    }[name],
    name == "producer" ? try(var.producers.settings, {}) : {},
  ) }
}

module "checkpoints" {
  source    = "../checkpoints"
  count     = var.producers == null ? 0 : 1
  name      = "${local.table_prefix}Checkpoints"
  key_arn   = local.tables_key_arn
  keep_data = var.keep_data
}

module "background" {
  source             = "../service"
  for_each           = local.background
  name               = each.key
  template           = "${local.ecs}/${each.key}.json"
  environment        = local.background_environments[each.key]
  secrets            = local.kafka_secrets
  cluster_arn        = module.cluster.arn
  task_role_arn      = module.identity.task_roles[each.key]
  execution_role_arn = module.identity.execution_roles[each.key]
  subnets            = values(module.network.private_subnets)
  security_group     = module.network.security_groups["workers"]
  capacity_provider  = "FARGATE"
  tasks              = each.value.min_tasks
  new_tasks_first    = true # two archivers, or one task more of the producer, share the work
  depends_on         = [aws_ecs_cluster_capacity_providers.this]

  values = merge(local.task_values, {
    vcpu           = each.value.vcpu
    memory_mib     = each.value.memory_mib
    stop_timeout_s = each.value.stop_timeout_s
    image          = "${module.registry.urls["pipeline"]}:${var.image_tag}"
    module         = try(each.value.module, "")
    port           = each.value.port
    log_group      = module.cluster.log_groups[each.key]
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

module "cpu_scaling" {
  source       = "../cpu_scaling"
  for_each     = { for name, size in local.background : name => size if size.max_tasks > size.min_tasks }
  cluster_name = module.cluster.name
  service_name = module.background[each.key].name
  min_tasks    = each.value.min_tasks
  max_tasks    = each.value.max_tasks
}
