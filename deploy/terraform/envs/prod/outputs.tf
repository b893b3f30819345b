output "repositories" {
  value = module.ticketstream.repositories
}

output "model_store" {
  value = module.ticketstream.model_store
}

output "buckets" {
  value = module.ticketstream.buckets
}

output "secrets" {
  value = module.ticketstream.secrets
}

output "secret_fields" {
  value = module.ticketstream.secret_fields
}

output "brokers" {
  value = module.ticketstream.brokers
}

output "topics" {
  value = module.ticketstream.topics
}

output "clients" {
  value = module.ticketstream.clients
}

output "index" {
  value = module.ticketstream.index
}

output "cluster" {
  value = module.ticketstream.cluster
}

output "services" {
  value = module.ticketstream.services
}

output "api" {
  value = module.ticketstream.api
}

output "operator" {
  value = module.ticketstream.operator
}

output "alarms" {
  value = module.ticketstream.alarms
}

output "task_definitions" {
  value = module.ticketstream.task_definitions
}

output "functions" {
  value = module.ticketstream.functions
}

output "sign_in" {
  value = module.ticketstream.sign_in
}

output "gateway" {
  value = module.ticketstream.gateway
}

output "workflow" {
  value = module.ticketstream.workflow
}

output "edge" {
  value = one(module.edge[*])
}

output "hosted_models" {
  value = module.ticketstream.hosted_models
}
