locals {
  alarms = {
    for name, alarm in {
      errors = {
        metric      = "Errors"
        statistic   = "Sum"
        threshold   = var.alarms.errors
        description = "Calls of ${var.name} end in an error."
      }
      throttles = {
        metric      = "Throttles"
        statistic   = "Sum"
        threshold   = var.alarms.throttles
        description = "Lambda turns away calls of ${var.name}: too many at once."
      }
      duration = {
        metric      = "Duration"
        statistic   = "Maximum"
        threshold   = var.alarms.duration_percent == null ? null : var.timeout * 10 * var.alarms.duration_percent
        description = "Calls of ${var.name} come near its timeout of ${var.timeout} seconds."
      }
    } : name => alarm if alarm.threshold != null
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
  tags                = var.tags
}
