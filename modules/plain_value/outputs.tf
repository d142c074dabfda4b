output "name" {
  description = "Name of the value, once it was found to be plain."
  value       = var.plain.name
}
