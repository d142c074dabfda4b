locals {
  autoscaled = var.autoscaling != null

  # What the override says counts; else an autoscaled table is provisioned and any other bills on demand.
  billing_mode = coalesce(var.override.billing_mode, local.autoscaled ? "PROVISIONED" : "PAY_PER_REQUEST")
  provisioned  = local.billing_mode == "PROVISIONED"

  # Units of the table and of each index where nothing moves them; an autoscaled one starts here, at its minimum.
  read_capacity  = !local.provisioned ? null : local.autoscaled ? local.bounds.read.min_capacity : coalesce(var.override.read_capacity, 20)
  write_capacity = !local.provisioned ? null : local.autoscaled ? local.bounds.write.min_capacity : coalesce(var.override.write_capacity, 20)

  key_names = toset(compact(flatten([
    [var.hash_key, var.range_key],
    [for index in values(var.global_secondary_indexes) : [index.hash_key, index.range_key]],
  ])))
  attributes = { for name in local.key_names : name => lookup(var.attribute_types, name, "S") }

  global_secondary_indexes = {
    for name, index in var.global_secondary_indexes : name => {
      hash_key           = index.hash_key
      range_key          = index.range_key
      projection_type    = index.non_key_attributes == null ? "ALL" : length(index.non_key_attributes) == 0 ? "KEYS_ONLY" : "INCLUDE"
      non_key_attributes = try(length(index.non_key_attributes), 0) == 0 ? null : index.non_key_attributes
    }
  }

  table = aws_dynamodb_table.this[0]
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_28:Point-in-time recovery is a choice of each environment, made in its root.
  #checkov:skip=CKV_AWS_119:Encryption is a choice of the caller: owned by AWS, managed by AWS or a key of one's own.
  #checkov:skip=CKV2_AWS_16:Whether a table scales by itself is a choice of the caller; the targets are in autoscaling.tf.
  # States name the table with an index; without it, every plan would tell of a move.
  count = 1

  name                        = var.name
  billing_mode                = local.billing_mode
  read_capacity               = local.capacity["table"].read
  write_capacity              = local.capacity["table"].write
  hash_key                    = var.hash_key
  range_key                   = var.range_key
  deletion_protection_enabled = var.deletion_protection_enabled
  stream_enabled              = var.stream_view_type != null
  stream_view_type            = var.stream_view_type
  tags                        = var.tags

  dynamic "attribute" {
    for_each = local.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.global_secondary_indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.projection_type
      non_key_attributes = global_secondary_index.value.non_key_attributes
      read_capacity      = local.capacity["index/${global_secondary_index.key}"].read
      write_capacity     = local.capacity["index/${global_secondary_index.key}"].write
    }
  }

  dynamic "ttl" {
    for_each = var.ttl_attribute_name[*]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery_enabled
  }

  server_side_encryption {
    enabled     = var.encryption != "aws-owned"
    kms_key_arn = local.key_arn
  }
}

# What autoscaled tables were until 2026-11-26.
moved {
  from = aws_dynamodb_table.autoscaled[0]
  to   = aws_dynamodb_table.this[0]
}
