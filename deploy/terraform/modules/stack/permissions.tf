# Permissions of each task.

locals {
  # A reference may name a field of a secret (ARN:username::); the permission is for the secret.
  secret_arns = { for task, secrets in local.secrets : task => distinct([
    for reference in values(secrets) : join(":", slice(split(":", reference), 0, 7))
  ]) }

  all_topics = distinct(concat(
    keys(local.partitions), [for spec in var.models : spec.enriched_topic], [for spec in var.models : spec.embedded_topic],
  ))

  # The ARN of Titan on Bedrock, by model, where it embeds: for workers and the operator, and for the RAG service.
  titan = { for service, further in { stream = var.settings, rag = try(var.services.settings, {}) } : service => {
    for model, spec in var.models : model => [
      for settings in [merge(spec.settings, further)] :
      "arn:${local.partition}:bedrock:${lookup(settings, "TICKETS_MODEL__AWS_REGION", var.region)}::foundation-model/amazon.titan-embed-text-v2:0"
      if lookup(settings, "TICKETS_MODEL__NAME", "") == "titan-embed-text-v2"
    ]
  } }

  # A stack with VPC endpoints reaches Titan of its own region through one, too.
  titan_regions   = [for arn in flatten([for by_model in values(local.titan) : values(by_model)]) : split(":", arn)[3]]
  titan_endpoints = length(var.network.interface_endpoints) > 0 && contains(local.titan_regions, var.region) ? ["bedrock-runtime"] : []

  tasks = merge(
    { for name, worker in local.workers : name => {
      reads   = [worker.reads]
      writes  = concat(worker.writes, [local.dlq])
      creates = []
      groups  = [worker.group]
      models  = concat([var.models[worker.model].store], local.label_models)
      embeds  = worker.indexes ? local.titan.stream[worker.model] : [] # enrichment only splits texts
      secrets = local.secret_arns[name]
      images  = [module.registry.arns[worker.on_gpu ? "pipeline-gpu" : "pipeline"]]
      metrics = true
    } },
    {
      operator = {
        reads   = local.all_topics
        writes  = distinct(concat(["tickets.raw"], [for spec in var.models : spec.enriched_topic])) # a replay writes to the letter's topic
        creates = local.all_topics
        # Commands that read without joining the group use the group name with `-reader`.
        groups = distinct(concat(
          [for worker in local.workers : worker.group],
          [for spec in var.models : spec.group],
          [for spec in var.models : "${spec.group}-reader"],
        ))
        # `ticketstream tickets resend` reads all tickets of the ticket API.
        tables = [for table, actions in { Tickets = ["dynamodb:GetItem", "dynamodb:Scan"], TicketMetadata = ["dynamodb:GetItem"] } : {
          arn = local.table_arns[table], actions = actions, by_index = []
        } if var.services != null]
        models  = [for spec in var.models : spec.store]
        embeds  = distinct(flatten(values(local.titan.stream)))
        secrets = local.secret_arns["operator"]
        images  = [module.registry.arns["pipeline"]]
        metrics = false
        objects = [for archive in concat(
          [{ bucket_arn = module.buckets.arns["archive"], key_arn = module.keys.arns["events"] }],
          [for copy in var.archive_copy[*] : { bucket_arn = "arn:${local.partition}:s3:::${copy.bucket}", key_arn = copy.key_arn }],
        ) : merge(archive, { actions = ["s3:GetObject"], key_actions = ["kms:Decrypt"] })]
      }
      qdrant = {
        reads   = []
        writes  = []
        creates = []
        groups  = []
        models  = []
        secrets = [module.secrets.arns["index-api-key"]]
        images  = [module.registry.arns["qdrant"]] # if images.qdrant is your copy
        metrics = false
      }
    },
    { for name in keys(local.services) : name => merge(local.service_rights[name], {
      secrets = local.secret_arns[name]
      caches  = module.cache[0].arns
      images  = [module.registry.arns["pipeline"]]
      metrics = true
    }) },
    { for name in keys(local.background) : name => merge(local.background_rights[name], {
      secrets = distinct([for reference in values(local.kafka_secrets) : join(":", slice(split(":", reference), 0, 7))])
      images  = [module.registry.arns["pipeline"]]
      metrics = true
    }) },
  )
}

module "identity" {
  source          = "../identity"
  global_name     = local.global_name
  account_id      = var.account_id
  tasks           = local.tasks
  kafka_arn       = module.kafka.arn
  kafka_iam       = var.kafka.authentication == "iam"
  producer_topic  = "tickets.raw"
  bucket_arn      = module.artefacts.arn
  data_key_arn    = module.keys.arns["data"]
  tables_key_arn  = local.tables_key_arn
  secrets_key_arn = module.keys.arns["secrets"]
  log_arns        = module.cluster.log_arns
  metrics_log_arn = module.cluster.metrics_log_arn

  permissions_boundary = var.permissions_boundary
}
