locals {
  scales = local.autoscaled && local.provisioned

  # An operator's capacity lifts the minimum, and the maximum with it when that is lower.
  bounds = var.autoscaling == null ? null : {
    read = {
      min_capacity = max(var.autoscaling.read.min_capacity, coalesce(var.override.read_capacity, 1))
      max_capacity = max(var.autoscaling.read.max_capacity, coalesce(var.override.read_capacity, 1))
      target_value = var.autoscaling.read.target_value
    }
    write = {
      min_capacity = max(var.autoscaling.write.min_capacity, coalesce(var.override.write_capacity, 1))
      max_capacity = max(var.autoscaling.write.max_capacity, coalesce(var.override.write_capacity, 1))
      target_value = var.autoscaling.write.target_value
    }
  }

  # The table and each index scale by themselves, reading and writing apart.
  scaled = !local.scales ? {} : merge(
    {
      "table/read"  = { kind = "table", path = "", metric = "Read", bounds = local.bounds.read }
      "table/write" = { kind = "table", path = "", metric = "Write", bounds = local.bounds.write }
    },
    {
      for name in keys(var.global_secondary_indexes) : "index/${name}/read" =>
      { kind = "index", path = "/index/${name}", metric = "Read", bounds = local.bounds.read }
    },
    {
      for name in keys(var.global_secondary_indexes) : "index/${name}/write" =>
      { kind = "index", path = "/index/${name}", metric = "Write", bounds = local.bounds.write }
    },
  )
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "dynamodb"
  resource_id        = "table/${local.table.name}${each.value.path}"
  scalable_dimension = "dynamodb:${each.value.kind}:${each.value.metric}CapacityUnits"
  min_capacity       = each.value.bounds.min_capacity
  max_capacity       = each.value.bounds.max_capacity
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.scaled

  name               = "${var.name}/${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = each.value.bounds.target_value

    predefined_metric_specification {
      predefined_metric_type = "DynamoDB${each.value.metric}CapacityUtilization"
    }
  }
}

# Application Auto Scaling owns the capacity after the first apply, and a plan must not move it back. `ignore_changes`
# cannot say so: it depends on no variable, and ignores the capacity of an index only together with all indexes. So a plan
# wants the capacity that it finds.
data "aws_dynamodb_tables" "all" {
  count = local.scales ? 1 : 0
}

data "aws_dynamodb_table" "found" {
  # The names are null where there is no table at all.
  count = local.scales ? (try(contains(data.aws_dynamodb_tables.all[0].names, var.name), false) ? 1 : 0) : 0

  name = var.name
}

locals {
  # A table on demand begins anew.
  found = [for table in data.aws_dynamodb_table.found : table if table.billing_mode == "PROVISIONED"]

  current = merge({}, [
    for table in local.found : merge(
      { table = { read = table.read_capacity, write = table.write_capacity } },
      {
        for index in table.global_secondary_index : "index/${index.name}" =>
        { read = index.read_capacity, write = index.write_capacity }
      },
    )
  ]...)

  # By the table and each index, as the targets above.
  capacity = {
    for part in concat(["table"], [for name in keys(var.global_secondary_indexes) : "index/${name}"]) : part =>
    lookup(local.current, part, { read = local.read_capacity, write = local.write_capacity })
  }
}
