locals {
  alarms = {
    for name, alarm in {
      age = {
        queue       = aws_sqs_queue.this.name
        metric      = "ApproximateAgeOfOldestMessage"
        threshold   = var.alarms.age_seconds
        description = "A message waits in ${var.name} for ${coalesce(var.alarms.age_seconds, 0)} seconds or longer."
      }
      depth = {
        queue       = aws_sqs_queue.this.name
        metric      = "ApproximateNumberOfMessagesVisible"
        threshold   = var.alarms.depth
        description = "${coalesce(var.alarms.depth, 0)} messages or more wait in ${var.name}."
      }
      dead-letters = {
        queue       = aws_sqs_queue.dead_letters.name
        metric      = "ApproximateNumberOfMessagesVisible"
        threshold   = var.alarms.dead_letters
        description = "Messages that could not be worked on lie in ${local.queues.dead_letters.name}."
      }
    } : name => alarm if alarm.threshold != null
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
  tags                = var.tags
}
