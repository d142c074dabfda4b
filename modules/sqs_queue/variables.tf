variable "alarm_topics" {
  description = "ARNs of the topics that hear of an alarm and of its end."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "alarms" {
  description = "What raises an alarm: the age of the oldest message in seconds, messages that wait, and messages in the dead-letter queue; what is not named raises none."
  type = object({
    age_seconds  = optional(number)
    depth        = optional(number)
    dead_letters = optional(number)
  })
  default  = { age_seconds = 900, depth = 1000, dead_letters = 1 }
  nullable = false
}

variable "dead_letter_retention_days" {
  description = "Days that the dead-letter queue keeps a message, counted from the day it was first sent."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = 1 <= var.dead_letter_retention_days && var.dead_letter_retention_days <= 14
    error_message = "dead_letter_retention_days must be from 1 to 14 days."
  }

  validation {
    condition     = var.dead_letter_retention_days >= var.retention_days
    error_message = "dead_letter_retention_days (${var.dead_letter_retention_days}) must be no shorter than retention_days (${var.retention_days}): a dead letter keeps the age that it had, so an old one would be deleted as it arrives."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key that encrypts both queues; null for SQS's own."
  type        = string
  default     = null
}

variable "max_receives" {
  description = "Times that a message is received before it goes to the dead-letter queue."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = 1 <= var.max_receives && var.max_receives <= 1000 && floor(var.max_receives) == var.max_receives
    error_message = "max_receives must be a whole number from 1 to 1000."
  }
}

variable "name" {
  description = "Name of the queue, and the first part of the dead-letter queue's."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,67}$", var.name))
    error_message = "name must be 1 to 67 letters, digits, underscores or hyphens, which leaves room for -dead-letters."
  }
}

variable "retention_days" {
  description = "Days that the queue keeps a message that nobody takes."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = 1 <= var.retention_days && var.retention_days <= 14
    error_message = "retention_days must be from 1 to 14 days."
  }
}

variable "visibility_timeout" {
  description = "Seconds that a message which somebody took is hidden from the others; for a function at least six times its timeout."
  type        = number
  default     = 180
  nullable    = false

  validation {
    condition     = 0 <= var.visibility_timeout && var.visibility_timeout <= 43200
    error_message = "visibility_timeout must be from 0 to 43200 seconds, which are 12 hours."
  }
}
