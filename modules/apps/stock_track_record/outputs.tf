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
  description = "The function that serves requests: its name, the role's ARN, the log group, and the parameter that pins the live version."
  value = {
    name      = module.function.name
    role_arn  = module.function.role.arn
    log_group = module.function.log_group
    pin       = module.function.pin
  }
}

output "queue" {
  description = "URLs of the queue of jobs and of its dead-letter queue."
  value = {
    url             = module.jobs.url
    dead_letter_url = module.jobs.dead_letter.url
  }
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = var.release
}

output "tables" {
  description = "Names of the tables, by what they hold."
  value = {
    records = module.records.name
    stocks  = module.stocks.name
  }
}

output "worker" {
  description = "The function that works on the queue: its name, the role's ARN, the log group, and the parameter that pins the live version."
  value = {
    name      = module.worker.name
    role_arn  = module.worker.role.arn
    log_group = module.worker.log_group
    pin       = module.worker.pin
  }
}
