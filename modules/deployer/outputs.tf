output "arn" {
  description = "ARN of the role that deploys the root."
  value       = aws_iam_role.this["deployer"].arn
}

output "boundary" {
  description = "ARN of the policy that bounds the roles of the root, which they must carry."
  value       = aws_iam_policy.boundary.arn
}

output "reader" {
  description = "ARN of the role that only plans, null where there is none."
  value       = try(aws_iam_role.this["reader"].arn, null)
}
