output "api_endpoint" {
  description = "Address of the API, before /api."
  value       = module.sample.api.url
}

output "dynamodb_notes_table" {
  description = "Name of the table of notes."
  value       = module.sample.table
}

output "lambda_function_name" {
  description = "Name of the function."
  value       = module.sample.function.name
}

output "lambda_role_arn" {
  description = "ARN of the function's role."
  value       = module.sample.function.role_arn
}

output "log_group" {
  description = "Name of the function's log group."
  value       = module.sample.function.log_group
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.sample.release
}
