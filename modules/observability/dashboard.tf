locals {
  # One row of graphs for each thing, APIs first, the way a request goes.
  rows = concat(
    [
      for name in var.apis : [
        { title = "${name}: requests and errors", stat = "Sum", metrics = [
          for metric in ["Count", "4XXError", "5XXError"] : ["AWS/ApiGateway", metric, "ApiName", name]
        ] },
        { title = "${name}: latency (ms)", stat = "p99", metrics = [
          for metric in ["Latency", "IntegrationLatency"] : ["AWS/ApiGateway", metric, "ApiName", name]
        ] },
      ]
    ],
    [
      for name, id in var.http_apis : [
        { title = "${name}: requests and errors", stat = "Sum", metrics = [
          for metric in ["Count", "4xx", "5xx"] : ["AWS/ApiGateway", metric, "ApiId", id]
        ] },
        { title = "${name}: latency (ms)", stat = "p99", metrics = [
          for metric in ["Latency", "IntegrationLatency"] : ["AWS/ApiGateway", metric, "ApiId", id]
        ] },
      ]
    ],
    [
      for name in var.queues : [
        { title = "${name}: messages sent, waiting and dead", stat = "Maximum", metrics = [
          ["AWS/SQS", "NumberOfMessagesSent", "QueueName", name, { stat = "Sum" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name],
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${name}-dead-letters"],
        ] },
        { title = "${name}: age of the oldest message (s)", stat = "Maximum", metrics = [
          ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name],
        ] },
      ]
    ],
    [
      for name in var.functions : [
        { title = "${name}: calls, errors and throttles", stat = "Sum", metrics = [
          for metric in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", name]
        ] },
        { title = "${name}: duration (ms) and calls at once", stat = "Maximum", metrics = [
          for metric in ["Duration", "ConcurrentExecutions"] : ["AWS/Lambda", metric, "FunctionName", name]
        ] },
      ]
    ],
    [
      for name in var.tables : [
        { title = "${name}: units used", stat = "Sum", metrics = [
          for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", name]
        ] },
        { title = "${name}: throttled", stat = "Sum", metrics = [
          for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", name]
        ] },
      ]
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = flatten([
      for row, graphs in local.rows : [
        for column, graph in graphs : {
          type   = "metric"
          x      = column * 12
          y      = row * 6
          width  = 12
          height = 6
          properties = {
            title   = graph.title
            region  = local.region
            view    = "timeSeries"
            period  = 60
            stat    = graph.stat
            metrics = graph.metrics
          }
        }
      ]
    ])
  })
}
