# Where alarms go, and one page that shows the tables, functions, queues and APIs side by side.
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # The region by a name that neither 5.100 lacks (region) nor 6 warns of (name, id).
  region = split(".", data.aws_region.current.endpoint)[1]

  # Built from names, so that a plan shows who may use the topic, and whom it tells, before the topic exists.
  topic_arn = "arn:${data.aws_partition.current.partition}:sns:${local.region}:${data.aws_caller_identity.current.account_id}:${var.name}-alarms"
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish through the key that AWS manages for SNS, and an alarm's text is not a secret.
  name = "${var.name}-alarms"
  tags = var.tags

  lifecycle {
    precondition {
      condition     = !var.production || var.email != null || var.alarms_unheard
      error_message = "email: this is production, and nobody would hear the alarms of ${var.name}; name an address, which in a root comes from alarm_email of environment.yaml, or say alarms_unheard = true (alarms_unheard: true in environment.yaml) if that is meant."
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = local.topic_arn
  protocol  = "email"
  endpoint  = var.email

  depends_on = [aws_sns_topic.alarms]
}
