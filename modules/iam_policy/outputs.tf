output "arn" {
  description = "ARN of the managed policy, null for one written into a role."
  value       = one(aws_iam_policy.this[*].arn)
}

output "document" {
  description = "The policy as JSON."
  value       = local.document
}

output "name" {
  description = "Name of the policy."
  value       = var.name
}
