output "api" {
  description = "The HTTP API: its address."
  value       = { url = module.api.url }
}

output "function" {
  description = "The function: its name, the role's ARN and the log group."
  value = {
    name      = module.function.name
    role_arn  = module.function.role.arn
    log_group = module.function.log_group
  }
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = var.release
}

output "table" {
  description = "Name of the table of notes."
  value       = module.notes.name
}
