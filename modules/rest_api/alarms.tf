locals {
  # Where a reader of an alarm looks first.
  look = (
    var.access_logs == null ? "aws logs tail /aws/lambda/FUNCTION --since 15m" : "aws logs tail ${one(aws_cloudwatch_log_group.access[*].name)} --since 15m"
  )

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
        periods     = { seconds = 300, evaluated = 1, breaching = 1 }
        description = "${var.name} refuses many requests: a caller with a broken client, or somebody who tries keys. Read which routes and statuses: ${local.look}. Throttle a route in the root's main.tf, or put AWS WAF in front."
      }
      "5xx" = {
        metric      = "5XXError"
        statistic   = "Sum"
        percentile  = null
        threshold   = local.thresholds.server_errors
        periods     = { seconds = 300, evaluated = 1, breaching = 1 }
        description = "${var.name} answers requests with server errors, its function's or API Gateway's own, which waits for 29 or 30 seconds. Read which: ${local.look}. Then the function's log for the same request ids; if it began with a release, take that back: sawhorse rollback ROOT."
      }
      latency = {
        metric     = "Latency"
        statistic  = null
        percentile = "p99"
        threshold  = local.thresholds.latency_ms
        # Three minutes of five: one start of a worker, which is slow, rings nothing.
        periods     = { seconds = 60, evaluated = 5, breaching = 3 }
        description = "One answer of ${var.name} in a hundred is slower than ${coalesce(local.thresholds.latency_ms, 0)} ms, in three minutes of five. Read which routes: ${local.look}. Then whether its tables are slow or throttled, and whether workers start all the time: aws cloudwatch describe-alarms --state-value ALARM."
      }
    } : name => alarm if alarm.threshold != null
  }

  # Those that a composite alarm tells of.
  composed = { failing = [for name in ["5xx"] : name if contains(keys(local.alarms), name)] }
  topics   = { for name in keys(local.alarms) : name => var.composed_alarms && contains(local.composed.failing, name) ? [] : var.alarm_topics }
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
  period              = each.value.periods.seconds
  evaluation_periods  = each.value.periods.evaluated
  datapoints_to_alarm = each.value.periods.breaching
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics[each.key]
  ok_actions          = local.topics[each.key]
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
        description = "${key} of ${var.name} gets half of all the calls that its throttling lets through: a busy day, or somebody who floods it. Read who comes: ${local.look}. Its limit stands in the root's main.tf."
      }
      "${key} 4xx" = {
        route       = key
        metric      = "4XXError"
        threshold   = coalesce(local.thresholds.client_errors, 300)
        description = "${key} of ${var.name} refuses many calls; one that is throttled counts among them. Read with which status: ${local.look}. Its limit stands in the root's main.tf."
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
