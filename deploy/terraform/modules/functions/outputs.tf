output "arns" {
  description = "ARNs of the functions, by name."
  value       = module.lambdas.arns
}

output "invoke_arns" {
  description = "ARNs that API Gateway calls the functions by, by name."
  value       = module.lambdas.invoke_arns
}

output "roles" {
  description = "Names of the functions' roles, by name."
  value       = module.lambdas.roles
}

output "pre_token_arn" {
  description = "ARN of the function pre_token, for a user pool."
  value       = module.trigger.arns["pre_token"]
}

output "drawn" {
  description = "What a dashboard shows of the alarms, by their name."
  value       = merge(module.lambdas.drawn, module.trigger.drawn)
}

output "alarms" {
  description = "Names of the alarms."
  value       = concat(module.lambdas.alarms, module.trigger.alarms)
}
