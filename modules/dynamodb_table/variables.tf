variable "alarm_topics" {
  description = "ARNs of the topics that hear of an alarm and of its end."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "alarms" {
  description = "Throttled requests within a minute that raise an alarm, for the table and for each index; what is not named raises none."
  type = object({
    throttles = optional(number)
  })
  default  = { throttles = 1 }
  nullable = false
}

variable "autoscaling" {
  description = "Bounds and target utilisation in percent of the table and of each index; null bills on demand."
  type = object({
    read  = object({ min = number, max = number, target = optional(number, 70) })
    write = object({ min = number, max = number, target = optional(number, 70) })
  })
  default = null

  validation {
    condition = var.autoscaling == null ? true : alltrue([
      for bounds in values(var.autoscaling) : 1 <= bounds.min && bounds.min <= bounds.max
    ])
    error_message = "autoscaling: each min must be at least 1 and no larger than its max."
  }

  validation {
    condition = var.autoscaling == null ? true : alltrue([
      for bounds in values(var.autoscaling) : 20 <= bounds.target && bounds.target <= 90
    ])
    error_message = "autoscaling: each target must be from 20 to 90 percent, which is what DynamoDB accepts."
  }
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table."
  type        = bool
  default     = false
  nullable    = false
}

variable "encryption" {
  description = "Who holds the key at rest: \"aws-owned\" (free, unseen), \"aws-managed\" (the account's aws/dynamodb key) or the ARN of a KMS key of one's own."
  type        = string
  default     = "aws-owned"
  nullable    = false

  validation {
    condition     = contains(["aws-owned", "aws-managed"], var.encryption) || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.encryption))
    error_message = "encryption must be \"aws-owned\", \"aws-managed\" or the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID)."
  }
}

variable "indexes" {
  description = "Global secondary indexes by name; attributes lists what is copied besides the keys, null copies everything and an empty set nothing."
  type = map(object({
    hash       = string
    range      = optional(string)
    attributes = optional(set(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.indexes) : can(regex("^[a-zA-Z0-9_.-]{3,255}$", name))])
    error_message = "indexes: a name must be 3 to 255 letters, digits, underscores, dots or hyphens."
  }

  validation {
    condition     = length(var.indexes) <= 20
    error_message = "indexes: DynamoDB takes at most 20 a table; ask AWS for a higher quota or merge some."
  }
}

variable "key" {
  description = "Attribute names of the table's hash key and, when there is one, its range key."
  type = object({
    hash  = string
    range = optional(string)
  })

  validation {
    condition     = var.key.hash != var.key.range
    error_message = "key: the hash and the range must be two attributes."
  }
}

variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, underscores, dots or hyphens."
  }
}

variable "override" {
  description = "What an operator turns in an incident, null meaning what was decided: the billing mode in place, and read and write units that fix the capacity or, when autoscaled, lift the minimum."
  type = object({
    billing_mode   = optional(string)
    read_capacity  = optional(number)
    write_capacity = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.override.billing_mode == null ? true : contains(["PAY_PER_REQUEST", "PROVISIONED"], var.override.billing_mode)
    error_message = "override: the billing mode must be PAY_PER_REQUEST or PROVISIONED."
  }

  validation {
    condition = (
      var.override.read_capacity == null && var.override.write_capacity == null
      ? true
      : coalesce(var.override.billing_mode, var.autoscaling == null ? "PAY_PER_REQUEST" : "PROVISIONED") == "PROVISIONED"
    )
    error_message = "override: a table that bills on demand has no capacity to set; say PROVISIONED as the billing mode as well, or leave the capacity out."
  }

  validation {
    condition     = coalesce(var.override.read_capacity, 1) >= 1 && coalesce(var.override.write_capacity, 1) >= 1
    error_message = "override: a capacity must be at least 1 unit."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days."
  type        = bool
  default     = false
  nullable    = false
}

variable "stream" {
  description = "What the stream of changes carries: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES; null makes no stream."
  type        = string
  default     = null

  validation {
    condition     = var.stream == null ? true : contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream)
    error_message = "stream must be KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES, or null for none."
  }
}

variable "ttl" {
  description = "Attribute that holds the epoch second after which DynamoDB deletes an item; null keeps every item."
  type        = string
  default     = null
}

variable "types" {
  description = "Types of the key attributes that are not strings: N for a number, B for bytes."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for type in values(var.types) : contains(["N", "B", "S"], type)])
    error_message = "types: a key attribute is N, B or S."
  }

  validation {
    condition = length(setsubtract(keys(var.types), compact(flatten([
      [var.key.hash, var.key.range],
      [for index in values(var.indexes) : [index.hash, index.range]],
    ])))) == 0
    error_message = "types: name only attributes that are a key of the table or of an index; DynamoDB has no other fixed types."
  }
}
