resource "aws_iam_role" "this" {
  for_each = local.subjects

  name                 = "${var.name_prefix}${each.key}"
  description          = each.key == local.pull_requests ? "Plans for the pull requests of ${var.repository}, and changes nothing." : "Takes the ${length(var.environments[each.key].deployers) == 0 ? "readers" : "deployers"} of ${each.key} for the jobs of ${var.repository} that GitHub lets into that environment."
  max_session_duration = var.max_session_duration
  permissions_boundary = each.key == local.pull_requests ? var.pull_requests.permissions_boundary : var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.provider }
      Condition = {
        # Equal, not like: a wildcard would let other repositories in.
        StringEquals = {
          "${local.host}:aud" = var.audience
          "${local.host}:sub" = each.value
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.this]
}

# What other policies a role got, the next apply takes away.
resource "aws_iam_role_policies_exclusive" "this" {
  for_each = local.subjects

  role_name    = aws_iam_role.this[each.key].name
  policy_names = length(local.takes[each.key]) == 0 ? [] : [aws_iam_role_policy.this[each.key].name]
}

resource "aws_iam_role_policy" "this" {
  for_each = { for name, roles in local.takes : name => roles if length(roles) > 0 }

  name = "take-roles"
  role = aws_iam_role.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = sort(each.value)
    }]
  })
}

resource "aws_iam_role_policy_attachments_exclusive" "this" {
  for_each = local.subjects

  role_name   = aws_iam_role.this[each.key].name
  policy_arns = each.key == local.pull_requests ? values(var.pull_requests.policies) : []
}

resource "aws_iam_role_policy_attachment" "pull_requests" {
  for_each = var.pull_requests == null ? {} : var.pull_requests.policies

  role       = aws_iam_role.this[local.pull_requests].name
  policy_arn = each.value
}
