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
  description = "Throttled requests within a minute that raise an alarm, for the table and for each index; what is not named raises none."
  type = object({
    throttles = optional(number)
  })
  default  = { throttles = 1 }
  nullable = false

  validation {
    condition = var.alarms.throttles == null ? true : alltrue([
      for name in concat([""], [for name in keys(var.global_secondary_indexes) : "/${name}"]) : length("${var.name}${name}/throttles") <= 255
    ])
    error_message = "alarms: an alarm is called after ${var.name} and its index, with /throttles behind them, and CloudWatch takes 255 characters; shorten the name of the table or of the index."
  }
}

variable "attribute_types" {
  description = "Types of the key attributes that are not strings: N for a number, B for bytes."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for type in values(var.attribute_types) : contains(["N", "B", "S"], type)])
    error_message = "attribute_types: a key attribute is N, B or S."
  }

  validation {
    condition = length(setsubtract(keys(var.attribute_types), compact(flatten([
      [var.hash_key, var.range_key],
      [for index in values(var.global_secondary_indexes) : [index.hash_key, index.range_key]],
    ])))) == 0
    error_message = "attribute_types: name only attributes that are a key of the table or of an index; DynamoDB has no other fixed types."
  }
}

variable "autoscaling" {
  description = "Bounds and target utilisation in percent of the table and of each index; null bills on demand."
  type = object({
    read  = object({ min_capacity = number, max_capacity = number, target_value = optional(number, 70) })
    write = object({ min_capacity = number, max_capacity = number, target_value = optional(number, 70) })
  })
  default = null

  validation {
    condition = var.autoscaling == null ? true : alltrue([
      for bounds in values(var.autoscaling) : 1 <= bounds.min_capacity && bounds.min_capacity <= bounds.max_capacity
    ])
    error_message = "autoscaling: each min_capacity must be at least 1 and no larger than its max_capacity."
  }

  validation {
    condition = var.autoscaling == null ? true : alltrue([
      for bounds in values(var.autoscaling) : 20 <= bounds.target_value && bounds.target_value <= 90
    ])
    error_message = "autoscaling: each target_value must be from 20 to 90 percent, which is what DynamoDB accepts."
  }

  validation {
    condition = var.autoscaling == null ? true : alltrue(flatten([
      for bounds in values(var.autoscaling) : [for units in [bounds.min_capacity, bounds.max_capacity] : floor(units) == units]
    ]))
    error_message = "autoscaling: a capacity is a whole number of units."
  }

  # AWS takes 256, its provider 255.
  validation {
    condition = var.autoscaling == null ? true : alltrue([
      for path in concat(["table"], [for name in keys(var.global_secondary_indexes) : "index/${name}"]) : length("${var.name}/${path}/write") <= 255
    ])
    error_message = "autoscaling: a scaling policy is called after ${var.name} and its index, with /write behind them, and the AWS provider takes 255 characters; shorten the name of the table or of the index."
  }
}

variable "composed_alarms" {
  description = "Whether a composite alarm tells of those that the output alarms names, so that they tell nobody themselves."
  type        = bool
  default     = false
  nullable    = false
}

variable "deletion_protection_enabled" {
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

variable "global_secondary_indexes" {
  description = "Global secondary indexes by name; non_key_attributes lists what is copied besides the keys, null copies everything and an empty set nothing."
  type = map(object({
    hash_key           = string
    range_key          = optional(string)
    non_key_attributes = optional(set(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.global_secondary_indexes) : can(regex("^[a-zA-Z0-9_.-]{3,255}$", name))])
    error_message = "global_secondary_indexes: a name must be 3 to 255 letters, digits, underscores, dots or hyphens."
  }

  validation {
    condition     = length(var.global_secondary_indexes) <= 20
    error_message = "global_secondary_indexes: DynamoDB takes at most 20 a table; ask AWS for a higher quota or merge some."
  }

  validation {
    condition = alltrue(flatten([
      for index in values(var.global_secondary_indexes) : [for key in [index.hash_key, index.range_key] : 1 <= length(key) && length(key) <= 255 if key != null]
    ]))
    error_message = "global_secondary_indexes: the name of a key has 1 to 255 characters; shorten it."
  }

  validation {
    condition     = alltrue([for index in values(var.global_secondary_indexes) : index.hash_key != index.range_key])
    error_message = "global_secondary_indexes: the hash key and the range key of ${join(", ", [for name, index in var.global_secondary_indexes : name if index.hash_key == index.range_key])} must be two attributes."
  }

  validation {
    condition     = alltrue([for index in values(var.global_secondary_indexes) : length(index.non_key_attributes == null ? [] : index.non_key_attributes) <= 20])
    error_message = "global_secondary_indexes: DynamoDB copies 20 non_key_attributes at most into an index; leave some out, or say null to copy everything."
  }

  validation {
    condition     = length(flatten([for index in values(var.global_secondary_indexes) : index.non_key_attributes == null ? [] : tolist(index.non_key_attributes)])) <= 100
    error_message = "global_secondary_indexes: DynamoDB copies 100 non_key_attributes at most into all indexes of a table together; leave some out, or say null to copy everything."
  }

  validation {
    condition = alltrue(flatten([
      for index in values(var.global_secondary_indexes) : [for name in(index.non_key_attributes == null ? [] : tolist(index.non_key_attributes)) : 1 <= length(name) && length(name) <= 255]
    ]))
    error_message = "global_secondary_indexes: the name of an attribute that is copied has 1 to 255 characters; shorten it."
  }

  validation {
    condition = alltrue([
      for index in values(var.global_secondary_indexes) : length(setintersection(
        index.non_key_attributes == null ? [] : index.non_key_attributes,
        compact([var.hash_key, var.range_key, index.hash_key, index.range_key]),
      )) == 0
    ])
    error_message = "global_secondary_indexes: the keys of the table and of the index are copied without being named; leave them out of non_key_attributes."
  }
}

variable "hash_key" {
  description = "Name of the attribute that is the table's hash key."
  type        = string

  validation {
    condition     = 1 <= length(var.hash_key) && length(var.hash_key) <= 255
    error_message = "hash_key: the name of a key has 1 to 255 characters; shorten it."
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
    condition     = alltrue([for units in [var.override.read_capacity, var.override.write_capacity] : units >= 1 if units != null])
    error_message = "override: a capacity must be at least 1 unit."
  }

  validation {
    condition     = alltrue([for units in [var.override.read_capacity, var.override.write_capacity] : floor(units) == units if units != null])
    error_message = "override: a capacity is a whole number of units."
  }
}

variable "point_in_time_recovery_enabled" {
  description = "Whether the table can be restored to any second of the last 35 days."
  type        = bool
  default     = false
  nullable    = false
}

variable "range_key" {
  description = "Name of the attribute that is the table's range key; null has none."
  type        = string
  default     = null

  validation {
    condition     = var.hash_key != var.range_key
    error_message = "range_key: the hash key and the range key must be two attributes."
  }

  validation {
    condition     = var.range_key == null ? true : 1 <= length(var.range_key) && length(var.range_key) <= 255
    error_message = "range_key: the name of a key has 1 to 255 characters; shorten it."
  }
}

variable "stream_view_type" {
  description = "What the stream of changes carries: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES; null makes no stream."
  type        = string
  default     = null

  validation {
    condition     = var.stream_view_type == null ? true : contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], var.stream_view_type)
    error_message = "stream_view_type must be KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES, or null for none."
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

variable "ttl_attribute_name" {
  description = "Attribute that holds the epoch second after which DynamoDB deletes an item; null keeps every item."
  type        = string
  default     = null

  validation {
    condition     = var.ttl_attribute_name == null ? true : 1 <= length(var.ttl_attribute_name) && length(var.ttl_attribute_name) <= 255
    error_message = "ttl_attribute_name: the name of the attribute has 1 to 255 characters; shorten it, or say null to keep every item."
  }
}
