output "api" {
  description = "The HTTP API: its id and its address."
  value = {
    id  = module.api.id
    url = module.api.url
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
    deliverables = module.deliverables.name
    metrics      = module.metrics.name
    updates      = module.updates.name
    users        = module.users.name
  }
}
