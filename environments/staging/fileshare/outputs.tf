output "api_endpoint" {
  description = "Address of the API, before /api and before every short code."
  value       = try(module.fileshare.api.url, null)
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.fileshare.dashboard
}

output "dynamodb_urls_table" {
  description = "Name of the table of links."
  value       = module.fileshare.tables.urls
}

output "dynamodb_users_table" {
  description = "Name of the table of users."
  value       = module.fileshare.tables.users
}

output "lambda_function_name" {
  description = "Name of the function."
  value       = try(module.fileshare.function.name, null)
}

output "lambda_role_arn" {
  description = "ARN of the function's role."
  value       = try(module.fileshare.function.role_arn, null)
}

output "log_group" {
  description = "Name of the function's log group."
  value       = try(module.fileshare.function.log_group, null)
}

output "merge_plus_addresses" {
  description = "Whether ada+x@example.com is the user ada@example.com."
  value       = module.fileshare.merge_plus_addresses
}

output "parameters" {
  description = "What the full names of the service's parameters begin with."
  value       = module.fileshare.parameters
}

output "policy_arn" {
  description = "ARN of the policy that lets a backend use the tables."
  value       = module.fileshare.policy
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.fileshare.release
}

output "task_role" {
  description = "Name of the service's task role, which has the policy."
  value       = module.fileshare.task_role
}
