# Rotation of the index's key, and of the Kafka user with SCRAM. The cache's clients authenticate with their IAM roles.

locals {
  secret_names = {
    index-api-key = "Qdrant's API key and the next one, for its nodes and the workers."
    kafka-user    = "The one of two Kafka users whose turn it is, for its clients."
  }

  secrets_wanted = merge(
    { for name, what in local.secret_names : name => what if name != "kafka-user" || local.two_users },
    { for name, what in { workflow-client = "The workflow's credentials at the issuer of tokens: client_id and client_secret." } : name => what if var.workflow != null },
    { for name, what in { canary-user = "The canary's user: client_id, client_secret, username and password." } : name => what if var.canary != null },
  )

  # Names of ECS services and of nodes, which the secret's fields hold before the index exists.
  node_names    = { for zone in local.zones : zone => "qdrant-${substr(zone, -1, 1)}" }
  index_clients = sort(concat([for name, worker in local.workers : name if worker.indexes], [for name in keys(local.services) : name if name == "rag"]))
  kafka_clients = sort(concat(keys(local.workers), keys(local.services), keys(local.background)))

  # Two users of Kafka take turns; their clients read the one whose turn it is.
  two_users  = var.kafka.authentication == "scram" && length(var.kafka.scram_secrets) == 2
  kafka_user = local.two_users ? module.secrets.arns["kafka-user"] : join("", slice(var.kafka.scram_secrets, 0, min(1, length(var.kafka.scram_secrets))))
  secret_fields = merge(
    { index-api-key = {
      engine  = "qdrant"
      nodes   = { for name in values(local.node_names) : "http://${name}.${local.name}.internal:6333" => "${local.name}/${name}" }
      clients = [for name in local.index_clients : "${local.name}/${name}"]
    } },
    { for name, fields in {
      kafka-user = {
        engine  = "scram"
        users   = { for number, arn in var.kafka.scram_secrets : "ticketstream-${number}" => arn }
        clients = [for name in local.kafka_clients : "${local.name}/${name}"]
      }
    } : name => fields if local.two_users },
  )
}

module "rotation" {
  source          = "../rotation"
  count           = var.rotation == null ? 0 : 1
  account_id      = var.account_id
  function        = local.rotates ? { arn = module.functions[0].arns["rotation"], role = module.functions[0].roles["rotation"] } : var.rotation.function
  days            = var.rotation.days
  secrets         = { for name in keys(local.secret_fields) : name => module.secrets.arns[name] }
  brokers_secrets = local.two_users ? var.kafka.scram_secrets : []
  key_arn         = module.keys.arns["secrets"]
  depends_on      = [module.index] # Secrets Manager tries a new schedule: the function asks the nodes for their key

  services = [for name in sort(distinct(concat(values(local.node_names), local.index_clients, local.two_users ? local.kafka_clients : []))) :
    "arn:${local.partition}:ecs:${var.region}:${var.account_id}:service/${local.name}/${name}"
  ]
}
