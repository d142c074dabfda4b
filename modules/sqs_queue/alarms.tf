locals {
  look = "aws sqs get-queue-attributes --attribute-names All --queue-url $(aws sqs get-queue-url --output text --queue-name"

  alarms = {
    for name, alarm in {
      age = {
        queue       = aws_sqs_queue.this.name
        metric      = "ApproximateAgeOfOldestMessage"
        threshold   = var.alarms.age_seconds
        description = "A message waits in ${var.name} for ${coalesce(var.alarms.age_seconds, 0)} seconds or longer: its worker is stopped, throttled or failing, or too slow for what is sent. Look at the queue: ${local.look} ${var.name}). Then at the worker: aws lambda list-event-source-mappings --event-source-arn with the queue's ARN, and its log."
      }
      depth = {
        queue       = aws_sqs_queue.this.name
        metric      = "ApproximateNumberOfMessagesVisible"
        threshold   = var.alarms.depth
        description = "${coalesce(var.alarms.depth, 0)} messages or more wait in ${var.name}: more is sent than its worker does. Look at the queue: ${local.look} ${var.name}). More workers at once: maximum_concurrency of the worker in the root's main.tf."
      }
      dead-letters = {
        queue       = aws_sqs_queue.dead_letters.name
        metric      = "ApproximateNumberOfMessagesVisible"
        threshold   = var.alarms.dead_letters
        description = "Messages that could not be processed lie in ${local.queues.dead_letters.name}, where they are deleted in the end. Read why in the worker's log: aws logs tail of its log group --since 1h --filter-pattern ERROR. When that is fixed, send them back: sawhorse redrive ROOT."
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
