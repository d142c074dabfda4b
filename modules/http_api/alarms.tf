locals {
  alarms = {
    for name, alarm in {
      "4xx" = {
        metric      = "4xx"
        statistic   = "Sum"
        percentile  = null
        threshold   = var.alarms.client_errors
        description = "${var.name} refuses many requests."
      }
      "5xx" = {
        metric      = "5xx"
        statistic   = "Sum"
        percentile  = null
        threshold   = var.alarms.server_errors
        description = "${var.name} answers requests with server errors."
      }
      latency = {
        metric      = "Latency"
        statistic   = null
        percentile  = "p99"
        threshold   = var.alarms.latency_ms
        description = "One answer of ${var.name} in a hundred is slower than ${coalesce(var.alarms.latency_ms, 0)} ms."
      }
    } : name => alarm if alarm.threshold != null
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  dimensions          = { ApiId = aws_apigatewayv2_api.this.id, Stage = aws_apigatewayv2_stage.this.name }
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
