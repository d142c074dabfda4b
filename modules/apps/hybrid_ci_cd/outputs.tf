output "api" {
  description = "The REST API: its id, its stage and the address of that stage."
  value = {
    id    = module.api.id
    stage = module.api.stage
    url   = module.api.url
  }
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard
}

output "function" {
  description = "The function: its name, the role's ARN, the log group, and the parameter that pins the live version."
  value = {
    name      = module.function.name
    role_arn  = module.function.role.arn
    log_group = module.function.log_group
    pin       = module.function.pin
  }
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = var.release
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value = {
    agents   = module.agents.name
    jobs     = module.jobs.name
    sessions = module.sessions.name
  }
}
