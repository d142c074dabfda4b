locals {
  # SQS asks the key on behalf of whoever sends or reads.
  keys = {
    send = var.kms_master_key_id == null ? null : { arn = var.kms_master_key_id, actions = ["kms:Decrypt", "kms:GenerateDataKey"] }
    read = var.kms_master_key_id == null ? null : { arn = var.kms_master_key_id, actions = ["kms:Decrypt"] }
  }

  grants = {
    send = {
      actions   = ["sqs:SendMessage"]
      resources = [local.queues.this.arn]
      key       = local.keys.send
    }
    # What Lambda does for a function whose event source is the queue.
    consume = {
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [local.queues.this.arn]
      key       = local.keys.read
    }
    redrive = {
      actions = [
        "sqs:CancelMessageMoveTask",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:StartMessageMoveTask",
      ]
      resources = [local.queues.dead_letters.arn]
      key       = local.keys.read
    }
  }
}
