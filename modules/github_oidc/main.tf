data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  host = "token.actions.githubusercontent.com"
  # An account has one provider of this issuer, with this ARN: made of what is known, so that a plan shows whom the roles trust.
  provider = var.provider_arn != null ? var.provider_arn : "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${local.host}"

  # How GitHub names a repository in the subjects of its tokens: with the numbers of both, where there are any.
  repository = var.repository_ids == null ? var.repository : join("/", [
    "${split("/", var.repository)[0]}@${var.repository_ids.owner}",
    "${split("/", var.repository)[1]}@${var.repository_ids.repository}",
  ])

  # By the end of the role's name.
  subjects = merge(
    { for name in keys(var.environments) : name => "repo:${local.repository}:environment:${name}" },
    var.pull_requests == null ? {} : { (local.pull_requests) = "repo:${local.repository}:pull_request" },
  )
  pull_requests = "pull-requests"

  # What each may take, and nothing else.
  takes = merge(
    { for name, environment in var.environments : name => setunion(environment.deployers, environment.readers) },
    var.pull_requests == null ? {} : { (local.pull_requests) = var.pull_requests.readers },
  )
}

resource "aws_iam_openid_connect_provider" "this" {
  count = var.provider_arn == null ? 1 : 0

  url            = "https://${local.host}"
  client_id_list = [var.audience]
  tags           = var.tags
}
