output "api_endpoint" {
  description = "Address of the API's stage, before /v1."
  value       = module.triggers_api.api.url
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.triggers_api.dashboard
}

output "dynamodb_events_table" {
  description = "Name of the table of events."
  value       = module.triggers_api.tables.events
}

output "dynamodb_keys_table" {
  description = "Name of the table of API keys."
  value       = module.triggers_api.tables.keys
}

output "lambda_function_name" {
  description = "Name of the function."
  value       = module.triggers_api.function.name
}

output "lambda_role_arn" {
  description = "ARN of the function's role."
  value       = module.triggers_api.function.role_arn
}

output "log_group" {
  description = "Name of the function's log group."
  value       = module.triggers_api.function.log_group
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.triggers_api.release
}
