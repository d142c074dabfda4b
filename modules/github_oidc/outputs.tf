output "environments" {
  description = "ARNs of the roles of the environments, by the environment's name: the role-to-assume of a job in it."
  value       = { for name in keys(var.environments) : name => aws_iam_role.this[name].arn }
}

output "provider" {
  description = "ARN of the identity provider."
  value       = local.provider
  # Who waits for the ARN waits for the provider.
  depends_on = [aws_iam_openid_connect_provider.this]
}

output "pull_requests" {
  description = "ARN of the role of pull requests, null when there is none."
  value       = var.pull_requests == null ? null : aws_iam_role.this[local.pull_requests].arn
}

output "subjects" {
  description = "Subjects that tokens must have, word for word, by the end of the role's name."
  value       = local.subjects
}
