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
  description = "What an operator turns in an incident, for every table: billing mode, read and write units; null means what was decided."
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
}

variable "deletion_protection_enabled" {
  description = "Whether DynamoDB refuses to delete the tables; null is so in production alone."
  type        = bool
  default     = null
}

variable "jwt" {
  description = "Whose tokens are let in: the issuer as tokens spell it, and the audiences."
  type = object({
    issuer   = string
    audience = list(string)
  })

  validation {
    condition     = var.jwt != null
    error_message = "jwt is null, which would let everybody in; name the auth0 domain and audience in environment.yaml."
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
  default     = 1024
  nullable    = false
}

variable "packages" {
  description = "What the build measured, by function: web, which the Web Adapter starts, and api, which goes through Mangum; both are one package."
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
    condition     = length(setsubtract(["api", "web"], keys(var.packages))) == 0
    error_message = "packages: the functions api and web must both be there; run \"make build\"."
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
  description = "Whether this is production, where refused requests raise an alarm."
  type        = bool
  nullable    = false
}

variable "public_docs" {
  description = "Whether /docs and /openapi.json can be read by everybody; otherwise the function has none."
  type        = bool
  default     = false
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

variable "scopes" {
  description = "What a token must hold to read, and to change deliverables, metrics and updates, each a scope or permission as tokens spell it; what is null every token may. API Gateway asks for them as well unless in_gateway is false, as it has to be where tokens have them in the claim permissions alone, which it does not read."
  type = object({
    read         = optional(string)
    deliverables = optional(string)
    metrics      = optional(string)
    updates      = optional(string)
    in_gateway   = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for scope in [var.scopes.read, var.scopes.deliverables, var.scopes.metrics, var.scopes.updates] :
      scope == null ? true : can(regex("^[!#-+\\--Z^-~]{1,128}$", scope))
    ])
    error_message = "scopes: each is one scope as tokens spell it, such as change:deliverables, of up to 128 characters without spaces, commas, quotes, brackets and backslashes; leave out what every token may."
  }
}

variable "stage" {
  description = "What stands for the environment in every name."
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
  description = "Seconds after which Lambda ends a call; API Gateway waits for 30 at most."
  type        = number
  default     = 30
  nullable    = false
}

variable "web_adapter" {
  description = "The layer of AWS Lambda Web Adapter, which runs the application under uvicorn; null drives it through Mangum, where no adapter can be started."
  type = object({
    layer_arn = string
  })
  default = null

  validation {
    condition     = var.web_adapter == null ? true : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[1-9][0-9]*$", var.web_adapter.layer_arn))
    error_message = "web_adapter: the ARN must name a version of a layer in the function's region, such as arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:30."
  }
}
