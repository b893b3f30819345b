# The functions of the workflow (docs/workflow.md): the one that starts it for each new ticket, and its steps, in one zip. Each has
# a role of exactly the calls of its code.

locals {
  stores = {
    TICKETS_API__AWS_REGION   = var.region
    TICKETS_API__TABLE_PREFIX = var.tables.prefix
  }

  asking = merge(local.stores, {
    TICKETS_CLIENT__RAG_URL            = var.rag_url
    TICKETS_CLIENT__TIMEOUT_S          = "20" # a step has 25 s, and its caller waits 30
    TICKETS_CLIENT__TOKEN_URL          = var.token_url
    TICKETS_WORKFLOW__AWS_REGION       = var.region
    TICKETS_WORKFLOW__CLIENT_SECRET_ID = var.secret.arn
  }, var.settings)

  # DynamoDB and Secrets Manager use their keys with the caller's permissions.
  decrypt_tables = {
    sid       = "DecryptTables"
    actions   = ["kms:Decrypt"]
    resources = [var.tables.key_arn]
    condition = { StringLike = { "kms:ViaService" = ["dynamodb.*.amazonaws.com"] } }
  }

  read  = { sid = "ReadTickets", actions = ["dynamodb:GetItem"], resources = [var.tables.arns["Tickets"], var.tables.arns["TicketMetadata"]] }
  write = { sid = "WriteTickets", actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [var.tables.arns["Tickets"], var.tables.arns["TicketMetadata"]] }

  sign_in = [
    { sid = "ReadClient", actions = ["secretsmanager:GetSecretValue"], resources = [var.secret.arn] },
    {
      sid       = "DecryptClient"
      actions   = ["kms:Decrypt"]
      resources = [var.secret.key_arn]
      condition = { StringLike = { "kms:ViaService" = ["secretsmanager.*.amazonaws.com"] } }
    },
  ]

  functions = {
    start = {
      description = "Starts the workflow for each new ticket."
      concurrency = 5
      environment = { TICKETS_WORKFLOW__STATE_MACHINE_ARN = var.machine_arn, TICKETS_WORKFLOW__AWS_REGION = var.region }
      statements = [
        local.decrypt_tables,
        { sid = "Start", actions = ["states:StartExecution"], resources = [var.machine_arn] },
        {
          sid       = "ReadStream"
          actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
          resources = var.tables.with_stream ? [var.tables.stream] : []
        },
        { sid = "ListStreams", actions = ["dynamodb:ListStreams"], resources = var.tables.with_stream ? ["*"] : [] }, # no resource-level permissions
      ]
    }
    classify = {
      description = "Labels a new ticket by the nearest tickets."
      concurrency = 10
      environment = local.asking
      statements  = concat([local.decrypt_tables, local.read], local.sign_in)
    }
    find = {
      description = "Finds solved tickets like a new one, and the one that it repeats."
      concurrency = 10
      environment = local.asking
      statements = concat([local.decrypt_tables, local.read], local.sign_in, [
        { sid = "ListOfCustomer", actions = ["dynamodb:Query"], resources = ["${var.tables.arns["Tickets"]}/index/by_customer"] },
      ])
    }
    answer = {
      description = "Drafts an answer to a new ticket."
      concurrency = 10
      environment = local.asking
      statements  = concat([local.decrypt_tables, local.write], local.sign_in)
    }
    decide = {
      description = "Decides what becomes of a new ticket."
      concurrency = 10
      environment = merge(local.stores, var.settings)
      statements  = [local.decrypt_tables, local.write]
    }
  }
}

module "lambdas" {
  source      = "../lambdas"
  name        = var.name
  global_name = var.global_name
  group       = "workflow"
  account_id  = var.account_id
  region      = var.region
  partition   = var.partition
  zips        = var.zips
  key_arn     = var.key_arn
  log_key_arn = var.log_key_arn
  log_days    = var.log_days
  topics      = var.topics
  network     = var.network

  architecture         = var.architecture
  permissions_boundary = var.permissions_boundary

  functions = { for name, function in local.functions : "workflow_${name}" => merge(function, {
    handler        = "lambdas.workflow.functions.${name}"
    zip            = "workflow"
    timeout_s      = 25
    security_group = contains(["classify", "find", "answer"], name) ? "functions" : null # they call the RAG service
    asynchronous   = name == "start"
    stream         = name == "start" && var.tables.with_stream
    alarm_minutes  = name == "start" ? 5 : 0 # a ticket that isn't indexed yet is an error; the state machine has the alarms
  }) }
}

# A batch that fails is tried until its records leave the stream after a day, and is halved meanwhile.
resource "aws_lambda_event_source_mapping" "start" {
  count                          = var.tables.with_stream ? 1 : 0
  event_source_arn               = var.tables.stream
  function_name                  = module.lambdas.arns["workflow_start"]
  starting_position              = "LATEST" # earlier tickets have no workflow
  batch_size                     = 100
  maximum_retry_attempts         = -1
  bisect_batch_on_function_error = true

  filter_criteria {
    filter {
      pattern = jsonencode({ eventName = ["INSERT"] })
    }
  }

  destination_config {
    on_failure {
      destination_arn = module.lambdas.dead_letters
    }
  }
}
