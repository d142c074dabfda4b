output "api_endpoint" {
  description = "Address of the API, before /api."
  value       = module.turbotech_portal.api.url
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.turbotech_portal.dashboard
}

output "dynamodb_deliverables_table" {
  description = "Name of the table of deliverables."
  value       = module.turbotech_portal.tables.deliverables
}

output "dynamodb_metrics_table" {
  description = "Name of the table of metrics."
  value       = module.turbotech_portal.tables.metrics
}

output "dynamodb_updates_table" {
  description = "Name of the table of updates."
  value       = module.turbotech_portal.tables.updates
}

output "dynamodb_users_table" {
  description = "Name of the table of users."
  value       = module.turbotech_portal.tables.users
}

output "lambda_function_name" {
  description = "Name of the function."
  value       = module.turbotech_portal.function.name
}

output "lambda_role_arn" {
  description = "ARN of the function's role."
  value       = module.turbotech_portal.function.role_arn
}

output "log_group" {
  description = "Name of the function's log group."
  value       = module.turbotech_portal.function.log_group
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.turbotech_portal.release
}
