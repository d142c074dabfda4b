# Lambda reads the queue with the function's role and calls the alias, so that a rollback moves the worker as well.
locals {
  # Lambda takes messages without asking whether the function has a worker for them, and those that it then turns away come
  # back counted, until they are dead letters. So where less is reserved than the queues want, each gets its share, of two at
  # the least: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
  wanted = sum(concat([0], [for queue in values(var.queues) : coalesce(queue.maximum_concurrency, 1000)]))
  share = (
    coalesce(var.reserved_concurrent_executions, 0) == 0 || local.wanted <= coalesce(var.reserved_concurrent_executions, 0)
    ? null
    : max(2, floor(var.reserved_concurrent_executions / max(1, length(var.queues))))
  )
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.queues

  event_source_arn                   = each.value.source.arn
  function_name                      = aws_lambda_alias.live.arn
  function_response_types            = ["ReportBatchItemFailures"]
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.maximum_batching_window_in_seconds
  # A stopped function would be offered each message again and again, until all lay in the dead-letter queue.
  enabled = var.reserved_concurrent_executions != 0
  tags    = var.tags

  dynamic "scaling_config" {
    for_each = local.share == null ? each.value.maximum_concurrency[*] : [min(coalesce(each.value.maximum_concurrency, local.share), local.share)]

    content {
      maximum_concurrency = scaling_config.value
    }
  }
}
