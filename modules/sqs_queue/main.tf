# Two queues side by side: the one that works, and the one for what it could not do. Each is made without the other, because
# the provider watches every new queue for 25 seconds; what ties them together comes when both are there.
locals {
  # The region by a name that neither 5.100 lacks (region) nor 6 warns of (name, id).
  region = split(".", data.aws_region.current.endpoint)[1]

  # Built from names, so that a plan shows the policies before the queues exist.
  place  = "${local.region}:${data.aws_caller_identity.current.account_id}"
  prefix = "arn:${data.aws_partition.current.partition}:sqs:${local.place}"
  queues = {
    this         = { name = var.name, arn = "${local.prefix}:${var.name}" }
    dead_letters = { name = "${var.name}-dead-letters", arn = "${local.prefix}:${var.name}-dead-letters" }
  }

  # SQS takes plain HTTP as well, where others could read along.
  policies = {
    for key, queue in local.queues : key => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "RefuseUnencryptedTransport"
        Effect    = "Deny"
        Principal = "*"
        Action = [
          "sqs:ChangeMessageVisibility",
          "sqs:DeleteMessage",
          "sqs:ReceiveMessage",
          "sqs:SendMessage",
        ]
        Resource = queue.arn
        Condition = {
          Bool = { "aws:SecureTransport" = "false" }
          # The local AWS speaks plain HTTP on loopback, where nobody listens; no call in AWS comes from there.
          NotIpAddress = { "aws:SourceIp" = "127.0.0.0/8" }
        }
      }]
    })
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

resource "aws_sqs_queue" "this" {
  name                       = local.queues.this.name
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = var.message_retention_seconds
  sqs_managed_sse_enabled    = var.kms_master_key_id == null ? true : null
  kms_master_key_id          = var.kms_master_key_id
  policy                     = local.policies.this
  tags                       = var.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.queues.dead_letters.name
  message_retention_seconds = var.dead_letter_message_retention_seconds
  sqs_managed_sse_enabled   = var.kms_master_key_id == null ? true : null
  kms_master_key_id         = var.kms_master_key_id
  policy                    = local.policies.dead_letters
  tags                      = var.tags
}

resource "aws_sqs_queue_redrive_policy" "this" {
  queue_url = aws_sqs_queue.this.id

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })
}

# No other queue of the account can put its dead letters here.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this.arn]
  })
}
