# Whoever only looks: a plan of a pull request, and what asks every day for drift.
locals {
  reader = { for policies in var.reader[*] : "reader" => policies }
  read   = try(var.reader.policies, {})
}

resource "aws_iam_role" "reader" {
  for_each = local.reader

  name        = local.names.reader
  path        = var.path
  description = "Plans ${var.app} in ${var.environment} and looks for drift, and changes nothing but the lock of its state."

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

resource "aws_iam_policy" "reader" {
  for_each = local.read

  name        = "${local.names.reader}-${each.key}"
  path        = var.path
  description = "What plans ${var.app} in ${var.environment}, part ${each.key} of ${length(local.read)}."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "reader" {
  for_each = local.read

  role       = aws_iam_role.reader["reader"].name
  policy_arn = aws_iam_policy.reader[each.key].arn
}

resource "aws_iam_role_policies_exclusive" "reader" {
  for_each = local.reader

  role_name    = aws_iam_role.reader["reader"].name
  policy_names = []
}

resource "aws_iam_role_policy_attachments_exclusive" "reader" {
  for_each = local.reader

  role_name   = aws_iam_role.reader["reader"].name
  policy_arns = [for attachment in aws_iam_role_policy_attachment.reader : attachment.policy_arn]
}
