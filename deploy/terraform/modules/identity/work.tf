# Permissions of the task roles. The ARNs of topics and groups derive from the cluster's: cluster/NAME/ID becomes
# topic/NAME/ID/TOPIC.

locals {
  topics = replace(var.kafka_arn, ":cluster/", ":topic/")
  groups = replace(var.kafka_arn, ":cluster/", ":group/")

  work = { for name, task in var.tasks : name => concat(
    [for statement in local.kafka[name] : statement if var.kafka_iam], local.models[name], local.metrics[name],
    local.tables[name], local.objects[name], local.calls[name],
  ) }

  kafka = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid    = "Connect"
        Effect = "Allow"
        # An idempotent producer asks the cluster for a producer id.
        Action   = concat(["kafka-cluster:Connect"], length(task.writes) > 0 ? ["kafka-cluster:WriteDataIdempotently"] : [])
        Resource = length(concat(task.reads, task.writes, task.creates)) > 0 ? [var.kafka_arn] : []
      },
      {
        Sid      = "DescribeTopics"
        Effect   = "Allow"
        Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration"]
        Resource = [for topic in distinct(concat(task.reads, task.writes, task.creates)) : "${local.topics}/${topic}"]
      },
      {
        Sid      = "ReadTopics"
        Effect   = "Allow"
        Action   = ["kafka-cluster:ReadData"]
        Resource = [for topic in task.reads : "${local.topics}/${topic}"]
      },
      {
        Sid      = "WriteTopics"
        Effect   = "Allow"
        Action   = ["kafka-cluster:WriteData"]
        Resource = [for topic in task.writes : "${local.topics}/${topic}"]
      },
      {
        Sid      = "CreateTopics"
        Effect   = "Allow"
        Action   = ["kafka-cluster:CreateTopic"]
        Resource = [for topic in task.creates : "${local.topics}/${topic}"]
      },
      {
        Sid      = "JoinGroups"
        Effect   = "Allow"
        Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
        Resource = [for group in task.groups : "${local.groups}/${group}"]
      },
    ] : statement if length(statement.Resource) > 0
  ] }

  models = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid       = "ReadModels"
        Effect    = "Allow"
        Action    = ["s3:GetObject"]
        Resource  = [for prefix in task.models : "${var.bucket_arn}/${prefix}/*"]
        Condition = {}
      },
      {
        # Without this, S3 answers 403 and not 404 for a missing model, and the worker couldn't tell the two apart.
        Sid       = "ListModels"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = length(task.models) > 0 ? [var.bucket_arn] : []
        Condition = { StringLike = { "s3:prefix" = [for prefix in task.models : "${prefix}/*"] } }
      },
      {
        Sid       = "DecryptModels"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = length(task.models) > 0 ? [var.data_key_arn] : []
        Condition = { StringLike = { "kms:ViaService" = ["s3.*.amazonaws.com"] } }
      },
    ] : { for key, value in statement : key => value if key != "Condition" || length(statement.Condition) > 0 } if length(statement.Resource) > 0
  ] }

  tables = { for name, task in var.tasks : name => concat(
    [for number, table in task.tables : {
      Sid      = "UseTable${number}"
      Effect   = "Allow"
      Action   = table.actions
      Resource = [table.arn]
    }],
    [for number, table in task.tables : {
      Sid      = "UseIndexes${number}"
      Effect   = "Allow"
      Action   = table.by_index
      Resource = ["${table.arn}/index/*"]
    } if length(table.by_index) > 0],
    # DynamoDB uses a table's key with the caller's permissions.
    [for statement in [{
      Sid       = "DecryptTables"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = length(task.tables) > 0 ? [coalesce(var.tables_key_arn, var.data_key_arn)] : []
      Condition = { StringLike = { "kms:ViaService" = ["dynamodb.*.amazonaws.com"] } }
    }] : statement if length(statement.Resource) > 0],
  ) }

  # Objects of a bucket under a prefix. Without the list S3 answers 403 and not 404 for a missing object, whose read has
  # no prefix to compare: a role with the whole bucket may list it without one.
  objects = { for name, task in var.tasks : name => concat(
    [for number, one in task.objects : {
      Sid      = "UseObjects${number}"
      Effect   = "Allow"
      Action   = one.actions
      Resource = ["${one.bucket_arn}/${one.prefix}*"]
    }],
    [for number, one in task.objects : {
      Sid       = "ListObjects${number}"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = [one.bucket_arn]
      Condition = { (one.prefix == "" ? "StringLikeIfExists" : "StringLike") = { "s3:prefix" = ["${one.prefix}*"] } }
    }],
    [for number, one in task.objects : {
      Sid       = "UseKeyOfObjects${number}"
      Effect    = "Allow"
      Action    = one.key_actions
      Resource  = [one.key_arn]
      Condition = { StringLike = { "kms:ViaService" = ["s3.*.amazonaws.com"] } }
    } if length(one.key_actions) > 0],
  ) }

  # An HTTP service's cache, language models of Bedrock or SageMaker, and embedding models of Bedrock.
  calls = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid      = "ConnectToCache"
        Effect   = "Allow"
        Action   = ["elasticache:Connect"]
        Resource = task.caches
      },
      {
        Sid    = "CallLanguageModels"
        Effect = "Allow"
        Action = [
          "bedrock:ApplyGuardrail", "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream",
          "sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream",
        ]
        Resource = task.calls
      },
      {
        Sid      = "Embed"
        Effect   = "Allow"
        Action   = ["bedrock:InvokeModel"]
        Resource = task.embeds
      },
    ] : statement if length(statement.Resource) > 0
  ] }

  metrics = { for name, task in var.tasks : name => [
    for statement in [
      {
        Sid      = "WriteMetrics"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = task.metrics ? ["${var.metrics_log_arn}:*"] : []
      },
      {
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"] # no resource-level permissions
        Resource = task.metrics ? ["*"] : []
      },
    ] : statement if length(statement.Resource) > 0
  ] }
}
