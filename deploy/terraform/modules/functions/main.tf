# The functions of lambdas/ (docs/lambdas.md): the settings of each, and what its code calls.

locals {
  topics = replace(var.kafka.arn, ":cluster/", ":topic/")

  api_settings = merge(var.api_settings, var.cache.settings, {
    TICKETS_API__AWS_REGION         = var.region
    TICKETS_API__TABLE_PREFIX       = var.tables.prefix
    TICKETS_LIMITS__TRUSTED_PROXIES = tostring(var.proxies)
  })

  # DynamoDB uses a table's key with the caller's permissions.
  decrypt_tables = {
    sid       = "DecryptTables"
    actions   = ["kms:Decrypt"]
    resources = [var.tables.key_arn]
    condition = { StringLike = { "kms:ViaService" = ["dynamodb.*.amazonaws.com"] } }
  }

  written = { outbox = ["tickets.raw"], transformation = ["tickets.raw", "tickets.dlq"] }

  send = { for name, topics in local.written : name => [
    {
      sid       = "Connect"
      actions   = ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
      resources = [var.kafka.arn]
    },
    {
      sid       = "WriteTopics"
      actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
      resources = [for topic in topics : "${local.topics}/${topic}"]
    },
  ] }

  functions = {
    tickets = {
      description = "The ticket API."
      timeout_s   = 25 # API Gateway waits 29 s
      memory_mib  = 1024
      concurrency = 50
      severity    = "critical"
      environment = local.api_settings
      statements = [
        local.decrypt_tables,
        { sid = "UseTickets", actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [var.tables.arns["Tickets"]] },
        { sid = "ListTickets", actions = ["dynamodb:Query"], resources = ["${var.tables.arns["Tickets"]}/index/*"] },
        { sid = "UseOutbox", actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], resources = [var.tables.arns["TicketMetadata"]] },
        { sid = "UseSessions", actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"], resources = [var.tables.arns["UserSessions"]] },
        { sid = "ConnectToCache", actions = ["elasticache:Connect"], resources = var.cache.arns },
      ]
    }
    responses = {
      description = "Passes feedback on to the RAG service."
      timeout_s   = 25
      memory_mib  = 512
      concurrency = 20
      severity    = "warning"
      environment = { TICKETS_CLIENT__RAG_URL = var.rag_url }
      statements  = []
    }
    outbox = {
      description = "Sends the outbox of the ticket API to tickets.raw."
      timeout_s   = 60
      memory_mib  = 512
      concurrency = 5
      severity    = "critical"
      environment = merge(var.kafka.settings, { TICKETS_API__AWS_REGION = var.region, TICKETS_API__TABLE_PREFIX = var.tables.prefix })
      statements = concat([local.decrypt_tables], local.send["outbox"], [
        { sid = "FindTables", actions = ["dynamodb:GetItem"], resources = [var.tables.arns["Tickets"]] },
        {
          sid       = "UseOutbox"
          actions   = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]
          resources = [var.tables.arns["TicketMetadata"]]
        },
        {
          sid       = "ReadStream"
          actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
          resources = var.tables.with_stream ? [var.tables.outbox_stream] : []
        },
        { sid = "ListStreams", actions = ["dynamodb:ListStreams"], resources = var.tables.with_stream ? ["*"] : [] }, # no resource-level permissions
      ])
    }
    rotation = {
      description = "Rotates secrets."
      timeout_s   = 900 # MSK takes up to ten minutes
      memory_mib  = 512
      concurrency = 1
      severity    = "warning"
      environment = var.kafka.settings
      statements  = [] # the module rotation adds those of the secrets
    }
    transformation = {
      description = "Maps raw records to tickets."
      timeout_s   = 300
      memory_mib  = 512
      concurrency = 5
      severity    = "warning"
      environment = merge(var.kafka.settings, { TICKETS_PRODUCER__MAP = try(var.raw.map, "") })
      statements = concat(local.send["transformation"], [
        { sid = "ReadObjects", actions = ["s3:GetObject"], resources = [for name in try(var.raw.buckets, []) : "arn:${var.partition}:s3:::${name}/*"] },
        {
          sid       = "DecryptObjects"
          actions   = ["kms:Decrypt"]
          resources = compact([try(var.raw.key_arn, null)])
          condition = { StringLike = { "kms:ViaService" = ["s3.*.amazonaws.com"] } }
        },
      ])
    }
  }

  asynchronous  = ["outbox", "transformation"]
  with_rotation = contains(keys(var.network.security_groups), "rotation")
}

module "lambdas" {
  source      = "../lambdas"
  name        = var.name
  global_name = var.global_name
  account_id  = var.account_id
  region      = var.region
  partition   = var.partition
  invokers    = local.invokers
  zips        = var.zips
  key_arn     = var.key_arn
  log_key_arn = var.log_key_arn
  log_days    = var.log_days
  topics      = var.topics
  network     = var.network

  architecture         = var.architecture
  permissions_boundary = var.permissions_boundary

  functions = { for name, function in local.functions : name => merge(function, {
    handler        = "lambdas.${name}.handler"
    security_group = name == "rotation" ? "rotation" : "functions"
    asynchronous   = contains(local.asynchronous, name)
    stream         = name == "outbox" && var.tables.with_stream
    alarm_minutes  = name == "rotation" ? 1 : 5
  }) if(name != "transformation" || var.raw != null) && (name != "rotation" || local.with_rotation) }
}

# This function is in a module of its own, because the others need the issuer of tokens, and the issuer needs this one.
module "trigger" {
  source      = "../lambdas"
  name        = var.name
  global_name = var.global_name
  group       = "triggers"
  account_id  = var.account_id
  region      = var.region
  partition   = var.partition
  invokers    = { for name, arn in var.pools : "sign-in-${name}" => { function = "pre_token", principal = "cognito-idp.amazonaws.com", source_arn = arn } }
  zips        = var.zips
  key_arn     = var.key_arn
  log_key_arn = var.log_key_arn
  log_days    = var.log_days
  topics      = var.topics

  architecture         = var.architecture
  permissions_boundary = var.permissions_boundary

  functions = {
    pre_token = {
      description   = "Adds tenant and roles to Cognito's tokens."
      handler       = "lambdas.pre_token.handler"
      timeout_s     = 4 # Cognito waits 5 s
      concurrency   = 20
      severity      = "critical"
      alarm_minutes = 3
    }
  }
}
