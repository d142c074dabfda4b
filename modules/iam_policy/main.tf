locals {
  # A key that encrypts what is granted is a resource of its own.
  granted = concat(
    [for grant in var.grants : { actions = grant.actions, resources = grant.resources }],
    [for grant in var.grants : { actions = grant.key.actions, resources = [grant.key.arn] } if grant.key != null],
    length(var.unscoped_actions) == 0 ? [] : [{ actions = tolist(var.unscoped_actions), resources = ["*"] }],
  )

  # One statement for each set of resources, in the order of their ARNs, so that the order of the grants changes nothing.
  actions = {
    for grant in local.granted : jsonencode(sort(distinct(grant.resources))) => grant.actions...
  }

  document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for resources, actions in local.actions : {
        Effect   = "Allow"
        Action   = sort(distinct(flatten(actions)))
        Resource = jsondecode(resources)
      }
    ]
  })
}

resource "aws_iam_role_policy" "this" {
  count = var.role == null ? 0 : 1

  name   = var.name
  role   = var.role
  policy = local.document

  lifecycle {
    precondition {
      condition     = length(local.document) <= 10240
      error_message = "The policy ${var.name} has ${length(local.document)} characters, and AWS takes 10240 in all policies that are written into the role ${var.role}; grant less, or attach a managed policy (role = null, attach_to)."
    }
  }
}

resource "aws_iam_policy" "this" {
  count = var.role == null ? 1 : 0

  name        = var.name
  description = var.description
  policy      = local.document
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local.document) <= 6144
      error_message = "The policy ${var.name} has ${length(local.document)} characters and AWS takes 6144: split the grants between two policies."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.attach_to

  role       = each.value
  policy_arn = aws_iam_policy.this[0].arn
}
