variable "agent_lost_after_seconds" {
  description = "Seconds without a heartbeat after which an agent counts as lost and its jobs can be claimed again."
  type        = number
  default     = 90
  nullable    = false

  validation {
    # The function refuses anything else when it starts.
    condition     = 5 <= var.agent_lost_after_seconds && var.agent_lost_after_seconds <= 86400 && floor(var.agent_lost_after_seconds) == var.agent_lost_after_seconds
    error_message = "agent_lost_after_seconds must be a whole number from 5 to 86400."
  }
}

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

variable "autoscaling" {
  description = "Bounds and target utilisation of all tables and of their indexes; null bills on demand."
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
  description = "What an operator turns in an incident, for all tables: billing mode, read and write units; null means what was decided."
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

variable "open_sessions" {
  description = "Whether production may make sessions for everybody who asks, of any user: what it says when session_key_sha256 is null there."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.open_sessions || var.session_key_sha256 != null || !var.production
    error_message = "Without session_key_sha256 whoever reaches POST /auth/session becomes any user, so production refuses it; set session_key_sha256, or say open_sessions = true if that is meant."
  }
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
  description = "Whether this is production, where sessions for everybody have to be said and refused requests raise an alarm."
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

variable "session_key_sha256" {
  description = "SHA-256 in hexadecimal of the key without which POST /auth/session is refused; null lets everybody say who has logged in, which only a network or a gateway of one's own makes safe."
  type        = string
  default     = null

  validation {
    condition     = var.session_key_sha256 == null ? true : can(regex("^[0-9a-f]{64}$", var.session_key_sha256))
    error_message = "session_key_sha256 must be 64 hexadecimal digits in lower case, as `printf %s \"$KEY\" | sha256sum` prints them."
  }
}

variable "session_lifetime_seconds" {
  description = "Seconds for which a session holds."
  type        = number
  default     = 604800
  nullable    = false

  validation {
    # The function refuses anything else when it starts.
    condition     = 60 <= var.session_lifetime_seconds && var.session_lifetime_seconds <= 7776000 && floor(var.session_lifetime_seconds) == var.session_lifetime_seconds
    error_message = "session_lifetime_seconds must be a whole number from 60 to 7776000, which is 90 days."
  }
}

variable "session_throttling" {
  description = "Requests a second over time, and at once, of POST /auth/session, which makes sessions without one."
  type = object({
    rate_limit  = optional(number, 20)
    burst_limit = optional(number, 40)
  })
  default  = {}
  nullable = false
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
