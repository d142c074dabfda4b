variable "alarm_email" {
  description = "Address that alarms are sent to; null sends none."
  type        = string
  default     = null
}

variable "alarms_unheard" {
  description = "Whether nobody is meant to hear the alarms of production, or hears them by a subscription made elsewhere; otherwise production without alarm_email is refused."
  type        = bool
  default     = false
  nullable    = false
}

variable "auth_mode" {
  description = "Where API keys are looked up: \"aws\" for the keys table, \"local\" for the one development key."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = contains(["aws", "local"], var.auth_mode)
    error_message = "auth_mode must be \"aws\" or \"local\"."
  }

  validation {
    condition     = !(var.auth_mode == "local" && var.production)
    error_message = "auth_mode \"local\" accepts a key that everybody can read, so production refuses it; say \"aws\"."
  }
}

variable "autoscaling" {
  description = "Bounds and target utilisation of both tables and of the index; null bills on demand."
  type = object({
    read  = object({ min_capacity = number, max_capacity = number, target_value = optional(number, 70) })
    write = object({ min_capacity = number, max_capacity = number, target_value = optional(number, 70) })
  })
  default = null
}

variable "base_path" {
  description = "What the mapping of a custom domain puts before every path of the API, such as /shop, and the function takes away again; null puts nothing there."
  type        = string
  default     = null

  validation {
    condition     = var.base_path == null ? true : length(var.base_path) <= 300 && can(regex("^(/[A-Za-z0-9$_.+!*'()-]+)+$", var.base_path))
    error_message = "base_path: begin with a slash and end without one, such as /shop, in at most 300 characters."
  }
}

variable "capacity" {
  description = "What an operator turns in an incident, for both tables: billing mode, read and write units; null means what was decided."
  type = object({
    billing_mode   = optional(string)
    read_capacity  = optional(number)
    write_capacity = optional(number)
  })
  default  = {}
  nullable = false
}

variable "cors_origins" {
  description = "Origins whose pages may call the API: * alone, or a list."
  type        = list(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition     = length(var.cors_origins) > 0
    error_message = "cors_origins is empty, which the function would read as *; name at least one origin, or say [\"*\"] to let every page in."
  }

  validation {
    # The function refuses anything else when it starts.
    condition = var.cors_origins == tolist(["*"]) || alltrue([
      for origin in var.cors_origins : can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$", origin))
    ])
    error_message = "cors_origins: say * alone, or list origins of a scheme and a host with letters, digits, dots and hyphens, such as https://app.example.com."
  }
}

variable "deletion_protection_enabled" {
  description = "Whether DynamoDB refuses to delete the tables; null is so in production alone."
  type        = bool
  default     = null
}

variable "inbox_shards" {
  description = "Partitions of the inbox's index that writers spread over and that readers merge, 1 to 32 and never fewer than are written; null is one of each. When to spread stands under Sharding in lambda/triggers_api/README.md."
  type = object({
    write = number
    read  = optional(number)
  })
  default = null

  validation {
    # The function refuses anything else when it starts.
    condition = var.inbox_shards == null ? true : alltrue([
      for shards in [var.inbox_shards.write, coalesce(var.inbox_shards.read, var.inbox_shards.write)] :
      1 <= shards && shards <= 32 && floor(shards) == shards
    ])
    error_message = "inbox_shards: write and read must be whole numbers from 1 to 32."
  }

  validation {
    condition     = var.inbox_shards == null ? true : var.inbox_shards.write <= coalesce(var.inbox_shards.read, var.inbox_shards.write)
    error_message = "inbox_shards: read must be no fewer than write, or events would be stored where nobody looks."
  }
}

variable "log_level" {
  description = "Least level that the function logs."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "logs_retention_in_days" {
  description = "Days to keep log events and access logs."
  type        = number
  default     = 7
  nullable    = false
}

variable "memory_size" {
  description = "Memory of the function in MB."
  type        = number
  default     = 512
  nullable    = false
}

variable "packages" {
  description = "What the build measured, by function; this app has one, api."
  type = map(object({
    path           = string
    sha256         = string
    content_sha256 = string
    size           = number
    upload         = optional(string, "direct")
    handler        = string
    runtime        = string
    architecture   = string
    layer = optional(object({
      path           = string
      sha256         = string
      content_sha256 = string
      size           = number
      upload         = optional(string, "direct")
    }))
  }))

  validation {
    condition     = contains(keys(var.packages), "api")
    error_message = "packages: the function api is missing; run \"make build\"."
  }

  validation {
    condition     = length(distinct([for package in values(var.packages) : package.layer])) <= 1
    error_message = "packages: the functions of an app share one layer, and these name several; run \"make build\"."
  }
}

variable "packages_bucket" {
  description = "Bucket in the functions' region that packages go through when they are too large for a call, or are to go through S3; null when none does."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the managed policy that bounds the roles that are made here; null bounds them by nothing."
  type        = string
  default     = null
}

variable "point_in_time_recovery_enabled" {
  description = "Whether the tables can be restored to any second of the last 35 days."
  type        = bool
  default     = false
  nullable    = false
}

variable "production" {
  description = "Whether this is production, where the development key is refused and refused requests raise an alarm."
  type        = bool
  nullable    = false
}

variable "provisioned_concurrent_executions" {
  description = "Workers that are kept warm; null keeps none."
  type        = number
  default     = null
}

variable "public_docs" {
  description = "Whether everybody may read the docs pages, /docs and /openapi.json; otherwise there are none."
  type        = bool
  default     = true
  nullable    = false
}

variable "release" {
  description = "How a new version becomes live: gated leaves live where it is until a release moves it, direct moves it with the apply that publishes."
  type        = string
  default     = "gated"
  nullable    = false
}

variable "reserved_concurrent_executions" {
  description = "Most calls at once; 0 stops the API, null takes from the account's pool."
  type        = number
  default     = null
}

variable "stage" {
  description = "What stands for the environment in every name, and the first part of every path."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.stage))
    error_message = "stage must be 1 to 20 lower-case letters, digits or hyphens, and start with a letter."
  }
}

variable "tags" {
  description = "Tags of everything that is made here, beside the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.tags), ["app", "environment"])) == 0
    error_message = "tags: app and environment are the root's own, by which commands know whose state it is; give yours other names."
  }
}

variable "throttling" {
  description = "Requests a second over time, and at once, before API Gateway returns 429."
  type = object({
    rate_limit  = optional(number, 1000)
    burst_limit = optional(number, 500)
  })
  default  = {}
  nullable = false
}

variable "timeout" {
  description = "Seconds after which Lambda ends a call; API Gateway waits for 29 at most."
  type        = number
  default     = 30
  nullable    = false
}

variable "tracing" {
  description = "Whether X-Ray traces requests and calls."
  type        = bool
  default     = false
  nullable    = false
}

variable "web_acl_arn" {
  description = "ARN of a regional web ACL of AWS WAF in front of the API; null has none."
  type        = string
  default     = null
}
