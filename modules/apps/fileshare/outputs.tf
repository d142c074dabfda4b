output "api" {
  description = "The HTTP API of the Lambda form: its id and its address, null without that form."
  value       = one([for api in module.api : { id = api.id, url = api.url }])
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard
}

output "function" {
  description = "The function: its name, the role's ARN, the log group, and the parameter that pins the live version; null without the Lambda form."
  value = one([for function in module.function : {
    name      = function.name
    role_arn  = function.role.arn
    log_group = function.log_group
    pin       = function.pin
  }])
}

output "merge_plus_addresses" {
  description = "Whether ada+x@example.com is the user ada@example.com."
  value       = var.merge_plus_addresses
}

output "parameters" {
  description = "What the full names of the parameters begin with."
  value       = local.parameters
}

output "policy" {
  description = "ARN of the policy that lets a backend use the tables."
  value       = module.policy.arn
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = var.release
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value = {
    users = module.users.name
    urls  = module.urls.name
  }
}

output "task_role" {
  description = "Name of the task role that has the policy, null when none was named."
  value       = var.task_role
}
