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

variable "dead_letter_message_retention_seconds" {
  description = "Seconds that the dead-letter queue keeps a message, counted from when it was first sent."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = 60 <= var.dead_letter_message_retention_seconds && var.dead_letter_message_retention_seconds <= 1209600
    error_message = "dead_letter_message_retention_seconds must be from 60 to 1209600, which are 14 days."
  }

  validation {
    condition     = var.dead_letter_message_retention_seconds >= var.message_retention_seconds
    error_message = "dead_letter_message_retention_seconds (${var.dead_letter_message_retention_seconds}) must be no shorter than message_retention_seconds (${var.message_retention_seconds}): a dead letter keeps the age that it had, so an old one would be deleted as it arrives."
  }
}

variable "kms_master_key_id" {
  description = "ARN of the KMS key that encrypts both queues; null for SQS's own."
  type        = string
  default     = null
}

variable "max_receive_count" {
  description = "Times that a message is received before it goes to the dead-letter queue."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = 1 <= var.max_receive_count && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count must be a whole number from 1 to 1000."
  }
}

variable "message_retention_seconds" {
  description = "Seconds that the queue keeps a message that nobody takes."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = 60 <= var.message_retention_seconds && var.message_retention_seconds <= 1209600
    error_message = "message_retention_seconds must be from 60 to 1209600, which are 14 days."
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

variable "tags" {
  description = "Tags of everything that is made here, beside the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a message which somebody took is hidden from the others; for a function at least six times its timeout."
  type        = number
  default     = 180
  nullable    = false

  validation {
    condition     = 0 <= var.visibility_timeout_seconds && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 0 to 43200 seconds, which are 12 hours."
  }
}
