output "arns" {
  description = "ARNs of the parameters, by full name."
  value       = local.arns
}

output "grants" {
  description = "Permissions for a role's list of grants: read, by full name."
  value       = { read = local.read }
}

output "names" {
  description = "Full names of the parameters, in order."
  value = sort(concat(
    [for parameter in aws_ssm_parameter.this : parameter.name],
    [for parameter in aws_ssm_parameter.switch : parameter.name],
    [for parameter in aws_ssm_parameter.secret : parameter.name],
  ))
}
