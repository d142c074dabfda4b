output "api_endpoint" {
  description = "Address of the API."
  value       = module.api.url
}

output "table" {
  description = "Name of the table of orders."
  value       = module.table.name
}
