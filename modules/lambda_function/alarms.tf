locals {
  # What only the log tells is counted there: a 500 that the code itself returns, and how much memory a call used. The lines are
  # those of lambda/shared/request_log.py, and Lambda's own
  # (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report).
  counted = {
    for name, count in {
      server-errors = {
        metric    = "ServerErrors"
        pattern   = "{ $.message = \"request\" && $.status >= 500 }"
        value     = "1"
        unit      = "Count"
        threshold = var.alarms.server_errors
      }
      memory = {
        metric    = "MaxMemoryUsed"
        pattern   = "{ $.type = \"platform.report\" && $.record.metrics.maxMemoryUsedMB > 0 }"
        value     = "$.record.metrics.maxMemoryUsedMB"
        unit      = "Megabytes"
        threshold = var.alarms.memory_percent
      }
    } : name => count if count.threshold != null
  }

  tail = "aws logs tail ${aws_cloudwatch_log_group.this.name} --since 15m"

  alarms = {
    for name, alarm in {
      errors = {
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        statistic   = "Sum"
        threshold   = var.alarms.errors
        description = "Calls of ${var.name} end in an error: it cannot start, it raises, or Lambda ends it. Read why: ${local.tail} --filter-pattern ERROR. If it began with a release, take that back: sawhorse rollback ROOT."
      }
      server-errors = {
        namespace   = "FunctionLogs/${var.name}"
        metric      = "ServerErrors"
        statistic   = "Sum"
        threshold   = var.alarms.server_errors
        description = "${var.name} itself answers requests with a status of 500 or more, which is no error to Lambda. Read which, and the error before each: ${local.tail} --filter-pattern '{ $.level = \"ERROR\" }'. If it began with a release, take that back: sawhorse rollback ROOT."
      }
      throttles = {
        namespace   = "AWS/Lambda"
        metric      = "Throttles"
        statistic   = "Sum"
        threshold   = var.alarms.throttles
        description = "Lambda turns away calls of ${var.name}: too many at once for its reserved concurrency or the account's. Compare both with what runs: aws lambda get-function-concurrency --function-name ${var.name}; aws lambda get-account-settings. More for this function: sawhorse apply ROOT --var lambda_reserved_concurrency=N."
      }
      duration = {
        namespace   = "AWS/Lambda"
        metric      = "Duration"
        statistic   = "Maximum"
        threshold   = var.alarms.duration_percent == null ? null : var.timeout * 10 * var.alarms.duration_percent
        description = "Calls of ${var.name} come near its timeout of ${var.timeout} seconds, at which Lambda ends them. Read which are slow: ${local.tail} --filter-pattern '{ $.duration_ms > 1000 }'. Then look whether what it calls is slow or throttled, and raise timeout where the work is that long."
      }
      memory = {
        namespace   = "FunctionLogs/${var.name}"
        metric      = "MaxMemoryUsed"
        statistic   = "Maximum"
        threshold   = var.alarms.memory_percent == null ? null : var.memory_size * var.alarms.memory_percent / 100
        description = "${var.name} uses nearly all of its ${var.memory_size} MB, beyond which Lambda ends the call. Read how it grew: ${local.tail} --filter-pattern '{ $.type = \"platform.report\" }'. Raise memory_size, or take back the release that it began with: sawhorse rollback ROOT."
      }
    } : name => alarm if alarm.threshold != null
  }

  # Those that a composite alarm tells of, in its order.
  composed = {
    failing   = [for name in ["errors", "server-errors"] : name if contains(keys(local.alarms), name)]
    throttled = [for name in ["throttles"] : name if contains(keys(local.alarms), name)]
  }

  topics = {
    for name in keys(local.alarms) : name => var.composed_alarms && contains(flatten(values(local.composed)), name) ? [] : var.alarm_topics
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.counted

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value.pattern

  # Without a default: what is not there costs nothing, and an alarm takes it for nothing.
  metric_transformation {
    name      = each.value.metric
    namespace = "FunctionLogs/${var.name}"
    value     = each.value.value
    unit      = each.value.unit
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.namespace == "AWS/Lambda" ? { FunctionName = aws_lambda_function.this.function_name } : null
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics[each.key]
  ok_actions          = local.topics[each.key]
  tags                = var.tags
}
