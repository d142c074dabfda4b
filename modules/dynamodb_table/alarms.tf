locals {
  # CloudWatch counts an index apart from its table.
  throttled = var.alarms.throttles == null ? {} : merge(
    { table = { TableName = local.table.name } },
    { for name in keys(var.global_secondary_indexes) : "index/${name}" => { TableName = local.table.name, GlobalSecondaryIndexName = name } },
  )
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.throttled

  # No name of a table, an index or a function has a slash, so that no two of these, or of a function's, are the same.
  alarm_name          = each.key == "table" ? "${var.name}/throttles" : "${var.name}/${each.value.GlobalSecondaryIndexName}/throttles"
  alarm_description   = "DynamoDB turned away reads or writes of ${var.name}${each.key == "table" ? "" : " through ${each.value.GlobalSecondaryIndexName}"}; callers wait for another try, and then get an error. Look at its units and how it bills: aws dynamodb describe-table --table-name ${var.name}. More of them at once: sawhorse apply ROOT --var dynamodb_write_capacity=N or dynamodb_read_capacity=N, or --var dynamodb_billing_mode=PAY_PER_REQUEST. One hot key is helped by none of these."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.alarms.throttles
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.composed_alarms ? [] : var.alarm_topics
  ok_actions          = var.composed_alarms ? [] : var.alarm_topics
  tags                = var.tags

  metric_query {
    id          = "throttles"
    expression  = "FILL(reads, 0) + FILL(writes, 0)"
    label       = "Throttled reads and writes"
    return_data = true
  }

  metric_query {
    id = "reads"

    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "ReadThrottleEvents"
      dimensions  = each.value
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "writes"

    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "WriteThrottleEvents"
      dimensions  = each.value
      period      = 60
      stat        = "Sum"
    }
  }
}
