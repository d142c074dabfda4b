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
  description = "Origins whose pages may call the API, FRONTEND_URL of the function: * alone, or a list."
  type        = list(string)
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

variable "jwt" {
  description = "Who issues the tokens that every route but health asks for, the audiences that are let in, and the scopes of which a token needs one to read and one to write, where none are named any token will do; null opens every route."
  type = object({
    issuer       = string
    audience     = list(string)
    read_scopes  = optional(list(string), [])
    write_scopes = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.jwt == null ? true : alltrue([for scope in concat(var.jwt.read_scopes, var.jwt.write_scopes) : can(regex("^[!#-\\[\\]-~]+$", scope))])
    error_message = "jwt: a scope has neither spaces nor quotes, such as records:write."
  }
}

variable "log_level" {
  description = "Least level that the functions log."
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
  description = "Memory of each function in MB."
  type        = number
  default     = 512
  nullable    = false
}

variable "open_writes" {
  description = "Whether production may let everybody create channels, add picks and put prices: what it says when jwt is null there."
  type        = bool
  default     = false
  nullable    = false
}

variable "packages" {
  description = "What the build measured, by function; this app has two, api and worker."
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
    condition     = alltrue([for function in ["api", "worker"] : contains(keys(var.packages), function)])
    error_message = "packages: the function api or worker is missing; run \"make build\"."
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
  description = "Whether this is production, where open writes have to be said and refused requests raise an alarm."
  type        = bool
  nullable    = false
}

variable "provisioned_concurrent_executions" {
  description = "Workers of the API that are kept warm; null keeps none."
  type        = number
  default     = null
}

variable "public_docs" {
  description = "Whether everybody may read the docs pages, /docs and /openapi.json; otherwise there are none."
  type        = bool
  default     = true
  nullable    = false
}

variable "region" {
  description = "Region of the tables, DYNAMODB_REGION of the functions."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "release" {
  description = "How a new version becomes live: gated leaves live where it is until a release moves it, direct moves it with the apply that publishes."
  type        = string
  default     = "gated"
  nullable    = false
}

variable "reserved_concurrent_executions" {
  description = "Most calls at once of each function; 0 stops the API and lets messages wait, null takes from the account's pool."
  type        = number
  default     = null
}

variable "stage" {
  description = "What stands for the environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.stage))
    error_message = "stage must be 1 to 16 lower-case letters, digits or hyphens, and start with a letter."
  }
}

variable "suffix" {
  description = "What every name ends with, after a hyphen: the stage; null, which production alone may say, adds nothing."
  type        = string
  default     = null

  validation {
    condition     = var.suffix == null ? var.production : var.suffix == var.stage
    error_message = "suffix must be the stage, ${var.stage}, so that two environments of an account have no name in common; production alone may say null, for the bare names."
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
  description = "Seconds after which Lambda ends a call of the API; API Gateway waits for 30 at most."
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

variable "visibility_timeout_seconds" {
  description = "Seconds that a message which the worker took is hidden; at least six times the worker's timeout."
  type        = number
  default     = 360
  nullable    = false
}

variable "worker_maximum_concurrency" {
  description = "Most workers at once on the queue, 2 or more; null for no limit of its own."
  type        = number
  default     = 10
}

variable "worker_timeout" {
  description = "Seconds after which Lambda ends a call of the worker."
  type        = number
  default     = 60
  nullable    = false
}

variable "write_throttling" {
  description = "Requests a second over time, and at once, of each route that makes something while jwt is null."
  type = object({
    rate_limit  = optional(number, 20)
    burst_limit = optional(number, 40)
  })
  default  = {}
  nullable = false
}
