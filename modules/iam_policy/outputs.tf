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
  # The resource's own, so that who waits for the name waits for the policy.
  value = one(concat(aws_iam_policy.this[*].name, aws_iam_role_policy.this[*].name))
}
