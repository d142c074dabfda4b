locals {
  # The region by a name that neither 5.100 lacks (region) nor 6 warns of (name, id).
  region = split(".", data.aws_region.current.endpoint)[1]

  # Built from names, so that a plan shows the policies that come of the grants before a parameter exists.
  arns = {
    for name in concat(keys(var.parameters), keys(var.switches), keys(var.secrets)) :
    name => "arn:${data.aws_partition.current.partition}:ssm:${local.region}:${data.aws_caller_identity.current.account_id}:parameter${name}"
  }

  # The account's own key lets everybody in who may read the parameter; one's own has to be granted.
  keys = { for name, secret in var.secrets : name => { arn = secret.key_id, actions = ["kms:Decrypt"] } if secret.key_id != null }

  read = {
    for name, arn in local.arns : name => {
      actions   = ["ssm:GetParameter", "ssm:GetParameters"]
      resources = [arn]
      key       = lookup(local.keys, name, null)
    }
  }
}
