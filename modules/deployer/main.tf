# Whoever deploys one root, and nothing else: what the role may do is made of what the root's plan makes.
locals {
  # Hyphens alone appear in names of AWS.
  app = replace(var.app, "_", "-")

  names = {
    boundary = "${local.app}-boundary-${var.environment}"
    deployer = "${local.app}-deployer-${var.environment}"
    reader   = "${local.app}-reader-${var.environment}"
  }
}

# What bounds the roles that the deployer makes: it may make no other ones, and can neither change this nor take it off.
resource "aws_iam_policy" "boundary" {
  name        = local.names.boundary
  path        = var.path
  description = "The most that a role of ${var.app} in ${var.environment} may ever do, whatever is written into it."
  policy      = var.boundary
  tags        = var.tags
}

resource "aws_iam_role" "deployer" {
  name        = local.names.deployer
  path        = var.path
  description = "Plans, applies, releases and destroys ${var.app} in ${var.environment}, and nothing else."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = sort(var.trusted) }
    }]
  })
  tags = var.tags
}

resource "aws_iam_policy" "deployer" {
  for_each = var.policies

  name        = "${local.names.deployer}-${each.key}"
  path        = var.path
  description = "What deploys ${var.app} in ${var.environment}, part ${each.key} of ${length(var.policies)}."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "deployer" {
  for_each = var.policies

  role       = aws_iam_role.deployer.name
  policy_arn = aws_iam_policy.deployer[each.key].arn
}

# What somebody else puts into the role, or attaches to it, is seen by a plan and taken away by an apply.
resource "aws_iam_role_policies_exclusive" "deployer" {
  role_name    = aws_iam_role.deployer.name
  policy_names = []
}

resource "aws_iam_role_policy_attachments_exclusive" "deployer" {
  role_name   = aws_iam_role.deployer.name
  policy_arns = [for attachment in aws_iam_role_policy_attachment.deployer : attachment.policy_arn]
}
