output "api" {
  description = "The front: its id, its stage and the address of that stage."
  value = {
    id    = module.front.id
    stage = module.front.stage
    url   = module.front.url
  }
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.observability.dashboard
}

output "function" {
  description = "The function: its name, the role's ARN, the log group, and the parameter that pins the live version."
  value = {
    name      = module.api.name
    role_arn  = module.api.role.arn
    log_group = module.api.log_group
    pin       = module.api.pin
  }
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value = {
    events = module.events.name
    keys   = module.keys.name
  }
}
