locals {
  # A stranger who tries keys, or knocks at every door, shows as refused requests.
  thresholds = var.alarms != null ? var.alarms : {
    server_errors = 1
    latency_ms    = 5000
    client_errors = var.production ? 300 : null
  }

  alarms = {
    for name, alarm in {
      "4xx" = {
        metric      = "4XXError"
        statistic   = "Sum"
        percentile  = null
        threshold   = local.thresholds.client_errors
        description = "${var.name} refuses many requests."
      }
      "5xx" = {
        metric      = "5XXError"
        statistic   = "Sum"
        percentile  = null
        threshold   = local.thresholds.server_errors
        description = "${var.name} answers requests with server errors."
      }
      latency = {
        metric      = "Latency"
        statistic   = null
        percentile  = "p99"
        threshold   = local.thresholds.latency_ms
        description = "One answer of ${var.name} in a hundred is slower than ${coalesce(local.thresholds.latency_ms, 0)} ms."
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
  dimensions          = { ApiName = aws_api_gateway_rest_api.this.name, Stage = aws_api_gateway_stage.this.stage_name }
  statistic           = each.value.statistic
  extended_statistic  = each.value.percentile
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
  tags                = var.tags
}

locals {
  # Detailed metrics know a method by its path: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
  watched = merge([
    for key, limits in var.throttled : {
      "${key} calls" = {
        route       = key
        metric      = "Count"
        threshold   = ceil(limits.rate_limit * 150)
        description = "${key} of ${var.name} gets half of all the calls that its throttling lets through."
      }
      "${key} 4xx" = {
        route       = key
        metric      = "4XXError"
        threshold   = coalesce(local.thresholds.client_errors, 300)
        description = "${key} of ${var.name} refuses many calls; one that is throttled counts among them."
      }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "route" {
  for_each = local.watched

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description
  namespace         = "AWS/ApiGateway"
  metric_name       = each.value.metric
  dimensions = {
    ApiName  = aws_api_gateway_rest_api.this.name
    Stage    = aws_api_gateway_stage.this.stage_name
    Method   = split(" ", each.value.route)[0]
    Resource = split(" ", each.value.route)[1]
  }
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
  tags                = var.tags
}
