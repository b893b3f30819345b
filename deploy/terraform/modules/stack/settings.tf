# The workers' settings (docs/operations.md lists all settings), and which of them are secrets.

locals {
  cache_dir = "/var/cache/ticketstream"

  task_values = {
    vcpu           = local.sizes.task.vcpu
    memory_mib     = local.sizes.task.memory_mib
    stop_timeout_s = local.sizes.stop_timeout_s
    cache_dir      = local.cache_dir
    region         = var.region
  }

  shared = merge(
    {
      AWS_REGION             = var.region  # EC2 tasks don't get it automatically
      TICKETS_HEALTH__HOST   = "127.0.0.1" # only the sidecar can reach it
      TICKETS_KAFKA__BROKERS = module.kafka.brokers
      # After the drain the worker waits three seconds for hung calls; the rest of the 15 s is for its exit.
      TICKETS_WRITER__DRAIN_TIMEOUT_S = tostring(local.sizes.stop_timeout_s - 15)
    },
    module.kafka.settings,
    { for name, value in { TICKETS_KAFKA__AWS_REGION = var.region } : name => value if var.kafka.authentication == "iam" },
  )

  # Where the sidecar takes spans (collector.yaml).
  tracing = { TICKETS_TRACING__ENDPOINT = "http://127.0.0.1:4318/v1/traces" }

  # Settings of tasks that load the model or its tokenizer.
  by_model = { for model, spec in var.models : model => merge({
    TICKETS_KAFKA__GROUP     = spec.group
    TICKETS_MODEL__STORE     = "s3://${module.artefacts.bucket}/${spec.store}"
    TICKETS_MODEL__CACHE_DIR = local.cache_dir
    TICKETS_MODEL__PRECISION = spec.precision
    TICKETS_MODEL__THREADS   = tostring(local.sizes.task.vcpu)
    TICKETS_TOPICS__ENRICHED = spec.enriched_topic
    TICKETS_TOPICS__EMBEDDED = spec.embedded_topic
  }, spec.settings) }

  # Settings of tasks that embed and write the index.
  by_index = { for model, spec in var.models : model => { for name, value in {
    TICKETS_MODEL__STAMP              = spec.stamp
    TICKETS_INDEX__URL                = module.index.url
    TICKETS_INDEX__COLLECTION         = spec.collection
    TICKETS_INDEX__REPLICATION_FACTOR = tostring(var.index.replication)
    TICKETS_INDEX__SHARDS             = tostring(length(module.index.nodes))
  } : name => value if value != null } }

  # The operator uses the alphabetically first model; its overrides can name another.
  first = sort(keys(var.models))[0]

  environments = merge(
    { for name, worker in local.workers : name => merge(
      local.shared,
      local.tracing,
      local.by_model[worker.model],
      { for setting, value in local.by_index[worker.model] : setting => value if worker.indexes },
      {
        TICKETS_MODEL__DEVICE = worker.on_gpu ? "cuda" : "cpu"
        TICKETS_HEALTH__PORT  = tostring(local.sizes.roles[worker.role].port)
      },
      var.settings,
    ) },
    { operator = merge(
      local.shared,
      local.by_model[local.first],
      local.by_index[local.first],
      { TICKETS_MODEL__DEVICE = "cpu", TICKETS_ARCHIVE__PLACE = local.archive_place },
      { for name, value in local.own_settings.tickets : name => value if startswith(name, "TICKETS_API__") && var.services != null },
      var.settings,
    ) },
  )

  kafka_secrets = { for name, value in {
    TICKETS_KAFKA__SASL_USERNAME = "${local.kafka_user}:username::"
    TICKETS_KAFKA__SASL_PASSWORD = "${local.kafka_user}:password::"
  } : name => value if var.kafka.authentication == "scram" }

  index_secrets = { TICKETS_INDEX__API_KEY = "${module.secrets.arns["index-api-key"]}:key::" }

  secrets = merge(
    { for name, worker in local.workers : name => merge(
      local.kafka_secrets,
      { for setting, arn in local.index_secrets : setting => arn if worker.indexes },
      var.secrets,
    ) },
    { operator = merge(local.kafka_secrets, local.index_secrets, var.secrets) },
    local.service_secrets,
  )
}
