output "repositories" {
  description = "URLs of the image repositories."
  value       = module.registry.urls
}

output "model_store" {
  description = "URL for `ticketstream model build --to`; append the model's `store`."
  value       = "s3://${module.artefacts.bucket}"
}

output "buckets" {
  description = "Names of the buckets of the raw archive, of verdicts and of access logs."
  value       = module.buckets.names
}

output "global_name" {
  description = "Prefix of names that are unique beyond the region."
  value       = local.global_name
}

output "secrets" {
  description = "ARNs of the secrets to set before the first task starts."
  value       = module.secrets.arns
}

output "secret_fields" {
  description = "Fields of each secret that are not credentials, for `put-secret-value` (docs/deploy-aws.md)."
  value       = local.secret_fields
}

output "brokers" {
  description = "Bootstrap servers, for producers."
  value       = module.kafka.brokers
}

output "topics" {
  description = "Topics that each task and function reads and writes, by name."
  value = merge(
    { for name, task in local.tasks : name => { reads = task.reads, writes = task.writes } if length(concat(task.reads, task.writes)) > 0 },
    { for name, topics in merge(module.functions[*].written...) : name => { reads = [], writes = topics } },
  )
}

output "clients" {
  description = "For your own producers and search apps: the VPC, the security group to give them, the MSK cluster, and the policy for a producer's role."
  value = {
    vpc_id          = module.network.vpc_id
    subnets         = module.network.private_subnets
    security_group  = module.network.security_groups["clients"]
    kafka_arn       = module.kafka.arn
    producer_policy = module.identity.producer_policy
  }
}

output "index" {
  description = "URL of the index, and the target of its DNS record."
  value       = { url = module.index.url, address = module.index.address }
}

output "cluster" {
  description = "Name of the ECS cluster."
  value       = module.cluster.name
}

output "services" {
  description = "ECS services of the stream, of the index, of HTTP, of the archive and of the producers."
  value       = sort(concat(keys(local.workers), module.index.nodes, keys(local.services), keys(local.background)))
}

output "api" {
  description = "URL of the HTTP services, and the target of its DNS record; null without them."
  value       = var.services == null ? null : { url = "https://${var.services.domain}", address = module.balancer[0].address }
}

output "operator" {
  description = "Task definition and network of the operator, for `aws ecs run-task`."
  value = {
    task_definition = module.operator.task_definition_arn
    network = jsonencode({ awsvpcConfiguration = {
      subnets        = values(module.network.private_subnets)
      securityGroups = [module.network.security_groups["workers"]]
    } })
  }
}

output "alarms" {
  description = "Names of the alarms."
  value       = concat(module.observability.alarms, flatten([module.functions[*].alarms, module.api[*].alarms, module.workflow_functions[*].alarms, module.workflow[*].alarms, module.canary[*].alarms, module.hosted_models[*].alarms]))
}

output "functions" {
  description = "ARNs of the Lambda functions, by name."
  value       = merge(concat([for functions in module.functions : merge(functions.arns, { pre_token = functions.pre_token_arn })], module.workflow_functions[*].arns)...)
}

output "task_definitions" {
  description = "Every rendered task definition, by name."
  value       = merge({ for name, worker in module.worker : name => worker.rendered }, { for name, service in module.service : name => service.rendered }, { for name, service in module.background : name => service.rendered }, { operator = module.operator.rendered }, module.index.rendered)
}

output "sign_in" {
  description = "The user pool: its issuer, id, applications and domain; null without it."
  value       = one([for sign_in in module.sign_in : { issuer = sign_in.issuer, pool = sign_in.pool.id, client_ids = sign_in.client_ids, domain = sign_in.domain }])
}

output "gateway" {
  description = "The REST API: its URL, its origin for CloudFront, its stage's ARN and the ids of the programs' keys; null without it."
  value       = one([for api in module.api : { url = api.url, origin = api.origin, stage_arn = api.stage_arn, keys = api.keys }])
}

output "workflow" {
  description = "The workflow: its state machine, the queue of failed executions and the topic of decisions; null without it."
  value       = one([for workflow in module.workflow : { state_machine_arn = workflow.state_machine_arn, queue_url = workflow.failures_url, decisions_arn = workflow.decisions_arn }])
}

output "name" {
  description = "Prefix of names."
  value       = local.name
}

output "telemetry" {
  description = "KMS key of logs and alerts, and the SNS topics by severity."
  value       = { key_arn = module.keys.arns["telemetry"], topics = module.observability.topics }
}

output "hosted_models" {
  description = "Models on SageMaker and Bedrock: the endpoint, the group of label models, what training jobs need, and the guardrail; null without."
  value       = one([for hosted in module.hosted_models : { for name in ["endpoint", "group", "training", "guardrail"] : name => hosted[name] }])
}
