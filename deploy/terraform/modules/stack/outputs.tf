output "repositories" {
  description = "Where images are pushed."
  value       = module.registry.urls
}

output "model_store" {
  description = "Where models are put: `ticketstream model build --to` this, and a model's `store`."
  value       = "s3://${module.artefacts.bucket}"
}

output "secrets" {
  description = "Secrets to fill before the first task starts."
  value       = module.secrets.arns
}

output "brokers" {
  description = "Bootstrap servers, for producers."
  value       = module.kafka.brokers
}

output "index" {
  description = "The index's URL, and what a record for its domain points at."
  value       = { url = module.index.url, address = module.index.address }
}

output "cluster" {
  description = "ECS cluster."
  value       = module.cluster.name
}

output "services" {
  description = "Services of the stream and of the index."
  value       = sort(concat(keys(local.workers), module.index.nodes))
}

output "operator" {
  description = "For `aws ecs run-task`: what is run, and where."
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
  value       = module.observability.alarms
}

output "task_definitions" {
  description = "Every task definition as rendered."
  value       = merge({ for name, worker in module.worker : name => worker.rendered }, { operator = module.operator.rendered }, module.index.rendered)
}
