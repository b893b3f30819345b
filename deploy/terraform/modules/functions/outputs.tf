output "arns" {
  description = "ARNs of the functions, by name."
  value       = module.lambdas.arns
}

output "invoke_arns" {
  description = "Invocation ARNs of the functions, for API Gateway, by name."
  value       = module.lambdas.invoke_arns
}

output "roles" {
  description = "Names of the functions' roles, by name."
  value       = module.lambdas.roles
}

output "written" {
  description = "Topics that each function writes, by name."
  value       = { for name, topics in local.written : name => topics if contains(keys(module.lambdas.arns), name) }
}

output "pre_token_arn" {
  description = "ARN of the function pre_token, for a user pool."
  value       = module.trigger.arns["pre_token"]
}

output "drawn" {
  description = "The alarms by full name, for the dashboard."
  value       = merge(module.lambdas.drawn, module.trigger.drawn)
}

output "alarms" {
  description = "Names of the alarms."
  value       = concat(module.lambdas.alarms, module.trigger.alarms)
}
