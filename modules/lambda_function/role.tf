data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # The region by a name that neither 5.100 lacks (region) nor 6 warns of (name, id).
  region = split(".", data.aws_region.current.endpoint)[1]

  # Built from names, so that a plan shows the role's policy before anything exists.
  place = "${local.region}:${data.aws_caller_identity.current.account_id}"
  arn   = "arn:${data.aws_partition.current.partition}:lambda:${local.place}:function:${var.name}"

  # Lambda makes up a stream's name when it starts a worker: the wildcard cannot be narrower. The group is there already.
  write_logs = {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${local.place}:log-group:/aws/lambda/${var.name}:log-stream:*"]
    key       = null
  }

  destinations = try([for destination in [var.async.on_failure, var.async.on_success] : destination.grant if destination != null], [])

  sources = [for queue in values(var.queues) : queue.source.grant]
}

resource "aws_iam_role" "this" {
  name        = coalesce(var.role_name, var.name)
  description = "What the function ${var.name} may do."
  # Whoever deploys as a role of their own may make no other roles than such that carry its boundary.
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
      # Only for functions of this account.
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
  tags = var.tags
}

module "policy" {
  source = "../iam_policy"

  name   = "grants"
  role   = aws_iam_role.this.name
  grants = concat([local.write_logs], var.grants, local.destinations, local.sources)

  unscoped_actions = concat(
    var.tracing ? ["xray:PutTelemetryRecords", "xray:PutTraceSegments"] : [],
    var.vpc_config == null ? [] : [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ],
  )
}

# What somebody else puts into the role, or attaches to it, is seen by a plan and taken away by an apply.
resource "aws_iam_role_policies_exclusive" "this" {
  count = var.other_policies.unknown ? 0 : 1

  role_name = aws_iam_role.this.name
  # After the policy itself: one that is not there would be written here without any content.
  policy_names = setunion([module.policy.name], var.other_policies.policy_names)
}

resource "aws_iam_role_policy_attachments_exclusive" "this" {
  count = var.other_policies.unknown ? 0 : 1

  role_name   = aws_iam_role.this.name
  policy_arns = var.other_policies.policy_arns
}
