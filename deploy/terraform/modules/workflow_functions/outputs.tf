output "arns" {
  description = "ARNs of the functions, by name (workflow_start, workflow_classify, workflow_find, workflow_answer, workflow_decide)."
  value       = module.lambdas.arns
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value       = module.lambdas.drawn
}

output "alarms" {
  description = "Names of the alarms."
  value       = module.lambdas.alarms
}
