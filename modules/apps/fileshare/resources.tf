# Alarms of the backend's own ECS service, which another deployment makes and this app only names.
locals {
  # Where a reader of an alarm looks first.
  look = var.service == null ? "" : "aws ecs describe-services --cluster ${var.service.cluster} --services ${var.service.name} --query services[].events[:9]"
}

# Each running task reports its use of the processor once a minute, also without Container Insights, so that the number of reports is
# the number of tasks (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html).
resource "aws_cloudwatch_metric_alarm" "service_tasks" {
  count = var.service == null ? 0 : 1

  alarm_name          = "${local.name}-service-tasks"
  alarm_description   = "Fewer than ${var.service.tasks} tasks of the ECS service have been running for five minutes: they fail, or cannot be placed. Read why: ${local.look}; then aws ecs list-tasks with --desired-status STOPPED, and the tasks' log. If it began with a deployment, deploy the image before it: sawhorse run ROOT deploy-service."
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = { ClusterName = var.service.cluster, ServiceName = var.service.name }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = var.service.tasks
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  # No report is no task.
  treat_missing_data = "breaching"
  alarm_actions      = [module.observability.topic]
  ok_actions         = [module.observability.topic]
  tags               = var.tags
}

resource "aws_cloudwatch_metric_alarm" "service_errors" {
  count = try(var.service.behind, null) == null ? 0 : 1

  alarm_name          = "${local.name}-service-errors"
  alarm_description   = "${var.service.behind.errors_percent} % or more of the requests to the ECS service fail, in three minutes of five: its tasks answer with 500 or more, or the load balancer does, because none answers. Read why: ${local.look}, and the tasks' own log. If it began with a deployment, deploy the image before it: sawhorse run ROOT deploy-service. Where DynamoDB is the cause, use_dynamodb is the way back."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.service.behind.errors_percent
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [module.observability.topic]
  ok_actions          = [module.observability.topic]
  tags                = var.tags

  metric_query {
    id          = "percent"
    expression  = "IF(FILL(requests, 0) + FILL(unanswered, 0) > 0, 100 * (FILL(answered, 0) + FILL(unanswered, 0)) / (FILL(requests, 0) + FILL(unanswered, 0)), 0)"
    label       = "Requests that fail (%)"
    return_data = true
  }

  # What the tasks answer with, and what the load balancer does where no task answers, which it counts for all its target groups.
  dynamic "metric_query" {
    for_each = {
      answered   = { metric = "HTTPCode_Target_5XX_Count", target = { TargetGroup = var.service.behind.target_group } }
      unanswered = { metric = "HTTPCode_ELB_5XX_Count", target = {} }
      requests   = { metric = "RequestCount", target = { TargetGroup = var.service.behind.target_group } }
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value.metric
        dimensions  = merge({ LoadBalancer = var.service.behind.load_balancer }, metric_query.value.target)
        period      = 60
        stat        = "Sum"
      }
    }
  }
}
