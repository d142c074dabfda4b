data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # The region by a name that neither 5.100 lacks (region) nor 6 warns of (name, id).
  region = split(".", data.aws_region.current.endpoint)[1]

  # Built from names, so that a plan shows the policies that come of the grants before the table exists.
  arn        = "arn:${data.aws_partition.current.partition}:dynamodb:${local.region}:${data.aws_caller_identity.current.account_id}:table/${var.name}"
  index_arns = { for name in keys(var.global_secondary_indexes) : name => "${local.arn}/index/${name}" }

  key_arn = contains(["aws-owned", "aws-managed"], var.encryption) ? null : var.encryption
  # DynamoDB decrypts the table's key on behalf of whoever reads or writes.
  key = local.key_arn == null ? null : { arn = local.key_arn, actions = ["kms:Decrypt"] }

  actions = {
    batch_get_item       = "dynamodb:BatchGetItem"
    batch_write_item     = "dynamodb:BatchWriteItem"
    condition_check_item = "dynamodb:ConditionCheckItem"
    delete_item          = "dynamodb:DeleteItem"
    describe             = "dynamodb:DescribeTable"
    get_item             = "dynamodb:GetItem"
    put_item             = "dynamodb:PutItem"
    query                = "dynamodb:Query"
    scan                 = "dynamodb:Scan"
    update_item          = "dynamodb:UpdateItem"
  }

  grants = merge(
    { for name, action in local.actions : name => { actions = [action], resources = [local.arn], key = local.key } },
    {
      read = {
        actions   = [for name in ["batch_get_item", "condition_check_item", "get_item", "query"] : local.actions[name]]
        resources = concat([local.arn], values(local.index_arns))
        key       = local.key
      }
      write = {
        actions   = [for name in ["batch_write_item", "delete_item", "put_item", "update_item"] : local.actions[name]]
        resources = [local.arn]
        key       = local.key
      }
      query_index = {
        for name, arn in local.index_arns : name => { actions = ["dynamodb:Query"], resources = [arn], key = local.key }
      }
      scan_index = {
        for name, arn in local.index_arns : name => { actions = ["dynamodb:Scan"], resources = [arn], key = local.key }
      }
      read_stream = var.stream_view_type == null ? null : {
        actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        resources = [local.table.stream_arn]
        key       = local.key
      }
    },
  )
}
