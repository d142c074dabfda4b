# Whoever deploys one root, and nothing else: what the role may do is made of what the root's plan makes.
locals {
  # Hyphens alone appear in names of AWS.
  app = replace(var.app, "_", "-")

  # The second one only looks: a plan of a pull request, and what asks every day for drift.
  roles = merge(
    {
      deployer = {
        does     = "Plans, applies, releases and destroys ${var.app} in ${var.environment}, and nothing else."
        policies = var.policies
        trusted  = var.trusted
      }
    },
    {
      for reader in var.reader[*] : "reader" => {
        does     = "Plans ${var.app} in ${var.environment} and looks for drift, and changes nothing."
        policies = reader.policies
        trusted  = reader.trusted
      }
    },
  )
  names = { for role in ["boundary", "deployer", "reader"] : role => "${local.app}-${role}-${var.environment}" }

  parts = merge([
    for role, one in local.roles : {
      for key, policy in one.policies : "${role}-${key}" => { role = role, key = key, policy = policy }
    }
  ]...)
}

# What bounds the roles that the deployer makes: it may make no other ones, and can neither change this nor take it off.
resource "aws_iam_policy" "boundary" {
  name        = local.names.boundary
  path        = var.path
  description = "The most that a role of ${var.app} in ${var.environment} may ever do, whatever is written into it."
  policy      = var.boundary
  tags        = var.tags
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name        = local.names[each.key]
  path        = var.path
  description = each.value.does

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = sort(each.value.trusted) }
    }]
  })
  tags = var.tags
}

resource "aws_iam_policy" "this" {
  for_each = local.parts

  name        = "${local.names[each.value.role]}-${each.value.key}"
  path        = var.path
  description = "What the ${each.value.role} of ${var.app} in ${var.environment} may do, part ${each.value.key} of ${length(local.roles[each.value.role].policies)}."
  policy      = each.value.policy
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.parts

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.key].arn
}

# What somebody else puts into a role, or attaches to it, is seen by a plan and taken away by an apply.
resource "aws_iam_role_policies_exclusive" "this" {
  for_each = local.roles

  role_name    = aws_iam_role.this[each.key].name
  policy_names = []
}

resource "aws_iam_role_policy_attachments_exclusive" "this" {
  for_each = local.roles

  role_name   = aws_iam_role.this[each.key].name
  policy_arns = [for name, part in local.parts : aws_iam_role_policy_attachment.this[name].policy_arn if part.role == each.key]
}
