output "api_endpoint" {
  description = "Address of the API's stage."
  value       = module.hybrid_ci_cd.api.url
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.hybrid_ci_cd.dashboard
}

output "dynamodb_agents_table" {
  description = "Name of the table of agents."
  value       = module.hybrid_ci_cd.tables.agents
}

output "dynamodb_jobs_table" {
  description = "Name of the table of jobs."
  value       = module.hybrid_ci_cd.tables.jobs
}

output "dynamodb_sessions_table" {
  description = "Name of the table of sessions."
  value       = module.hybrid_ci_cd.tables.sessions
}

output "lambda_function_name" {
  description = "Name of the function."
  value       = module.hybrid_ci_cd.function.name
}

output "lambda_role_arn" {
  description = "ARN of the function's role."
  value       = module.hybrid_ci_cd.function.role_arn
}

output "log_group" {
  description = "Name of the function's log group."
  value       = module.hybrid_ci_cd.function.log_group
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.hybrid_ci_cd.release
}
