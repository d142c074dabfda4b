output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter" {
  description = "The dead-letter queue: its ARN, its name and its URL."
  value = {
    arn  = aws_sqs_queue.dead_letters.arn
    name = aws_sqs_queue.dead_letters.name
    url  = aws_sqs_queue.dead_letters.url
  }
}

output "grants" {
  description = "Permissions for a role's list of grants: send and consume on the queue, and redrive on the dead-letter queue, which needs send beside it."
  value       = local.grants
}

output "name" {
  description = "Name of the queue."
  value       = aws_sqs_queue.this.name
}

output "source" {
  description = "What a function that works on the queue takes as the source of one of its queues."
  value = {
    arn                        = aws_sqs_queue.this.arn
    visibility_timeout_seconds = var.visibility_timeout_seconds
    grant                      = local.grants.consume
  }
}

output "url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}
