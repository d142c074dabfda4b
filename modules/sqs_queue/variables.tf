variable "alarm_topics" {
  description = "ARNs of the topics that hear of an alarm and of its end."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_topics) <= 5
    error_message = "alarm_topics: an alarm tells five at most, and these are ${length(var.alarm_topics)}; name one, and let the others hear of it there."
  }

  validation {
    condition     = alltrue([for arn in var.alarm_topics : can(regex("^arn:[^:]+:[a-z0-9-]+:", arn)) && length(arn) <= 1024])
    error_message = "alarm_topics: name each by its ARN, of 1024 characters at most, such as arn:aws:sns:REGION:ACCOUNT:NAME."
  }
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

  validation {
    condition     = floor(var.dead_letter_message_retention_seconds) == var.dead_letter_message_retention_seconds
    error_message = "dead_letter_message_retention_seconds is a whole number of seconds."
  }
}

variable "kms_master_key_id" {
  description = "ARN of the KMS key that encrypts both queues; null for SQS's own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_master_key_id == null ? true : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_master_key_id)) && length(var.kms_master_key_id) <= 256
    error_message = "kms_master_key_id is the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), which the grants name as well; say null for the key of SQS."
  }
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

  validation {
    condition     = floor(var.message_retention_seconds) == var.message_retention_seconds
    error_message = "message_retention_seconds is a whole number of seconds."
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

  validation {
    condition = length(var.tags) <= 50 && alltrue([
      for name, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", name)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !can(regex("^(?i:aws):", name))
    ])
    error_message = "tags: AWS takes 50, with names of 1 to 128 and values of at most 256 letters, digits, spaces and _ . : / = + - @, and keeps names that begin with aws: for itself."
  }
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

  validation {
    condition     = floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds
    error_message = "visibility_timeout_seconds is a whole number of seconds."
  }
}
