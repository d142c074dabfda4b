locals {
  # An operator's capacity lifts the minimum, and the maximum with it when that is lower.
  bounds = var.autoscaling == null ? null : {
    read = {
      min    = max(var.autoscaling.read.min, coalesce(var.override.read_capacity, 1))
      max    = max(var.autoscaling.read.max, coalesce(var.override.read_capacity, 1))
      target = var.autoscaling.read.target
    }
    write = {
      min    = max(var.autoscaling.write.min, coalesce(var.override.write_capacity, 1))
      max    = max(var.autoscaling.write.max, coalesce(var.override.write_capacity, 1))
      target = var.autoscaling.write.target
    }
  }

  # The table and each index scale by themselves, reading and writing apart.
  scaled = !(local.autoscaled && local.provisioned) ? {} : merge(
    {
      "table/read"  = { kind = "table", path = "", metric = "Read", bounds = local.bounds.read }
      "table/write" = { kind = "table", path = "", metric = "Write", bounds = local.bounds.write }
    },
    {
      for name in keys(var.indexes) : "index/${name}/read" =>
      { kind = "index", path = "/index/${name}", metric = "Read", bounds = local.bounds.read }
    },
    {
      for name in keys(var.indexes) : "index/${name}/write" =>
      { kind = "index", path = "/index/${name}", metric = "Write", bounds = local.bounds.write }
    },
  )
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "dynamodb"
  resource_id        = "table/${aws_dynamodb_table.autoscaled[0].name}${each.value.path}"
  scalable_dimension = "dynamodb:${each.value.kind}:${each.value.metric}CapacityUnits"
  min_capacity       = each.value.bounds.min
  max_capacity       = each.value.bounds.max
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.scaled

  name               = "${var.name}/${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = each.value.bounds.target

    predefined_metric_specification {
      predefined_metric_type = "DynamoDB${each.value.metric}CapacityUtilization"
    }
  }
}
