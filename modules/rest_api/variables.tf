variable "access_logs" {
  description = "Days to keep a JSON line for every request, and the KMS key that encrypts them, null for CloudWatch's own; null keeps no access logs."
  type = object({
    retention_in_days = optional(number, 7)
    kms_key_id        = optional(string)
  })
  default = {}

  validation {
    condition = var.access_logs == null ? true : contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.access_logs.retention_in_days,
    )
    error_message = "access_logs: CloudWatch keeps events for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }

  validation {
    condition     = try(var.access_logs.kms_key_id, null) == null ? true : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.access_logs.kms_key_id)) && length(var.access_logs.kms_key_id) <= 256
    error_message = "access_logs: kms_key_id is the ARN of a key, of 256 characters at most (arn:aws:kms:REGION:ACCOUNT:key/ID); CloudWatch takes no alias."
  }
}

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
  description = "What raises an alarm: server errors within five minutes, the latency in ms that one response in a hundred passes in three minutes of five, and refused requests within five minutes; what is not named raises none, and null is 1 server error, 5000 ms and, in production, 300 refused requests."
  type = object({
    server_errors = optional(number)
    latency_ms    = optional(number)
    client_errors = optional(number)
  })
  default = null
}

variable "checked" {
  description = "Whether the function itself makes nothing for callers whom it does not know, by credentials of its own; API Gateway asks for none."
  type        = bool
  default     = false
  nullable    = false
}

variable "composed_alarms" {
  description = "Whether a composite alarm tells of those that the output alarms names, so that they tell nobody themselves."
  type        = bool
  default     = false
  nullable    = false
}

variable "cors" {
  description = "What API Gateway's own errors tell browsers; the function says the same on its responses and on OPTIONS, and no origins say nothing."
  type = object({
    allow_origins = optional(list(string), ["*"])
    allow_methods = optional(list(string), ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    allow_headers = optional(list(string), ["Content-Type", "X-Request-ID"])
    max_age       = optional(number, 3600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for origin in var.cors.allow_origins : origin == "*" || can(regex("^https?://[^/*'\\s]+$", origin))])
    error_message = "cors: an origin is * or a scheme and a host with nothing behind it, such as https://app.example.com."
  }

  validation {
    condition     = !contains(var.cors.allow_origins, "*") || length(var.cors.allow_origins) == 1
    error_message = "cors: * already lets every origin in; name it alone or name the origins."
  }

  validation {
    condition     = alltrue([for method in var.cors.allow_methods : contains(["*", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"], method)])
    error_message = "cors: a method is *, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT."
  }

  validation {
    condition     = alltrue([for header in var.cors.allow_headers : can(regex("^[A-Za-z0-9!#$%&*+.^_`|~-]+$", header))])
    error_message = "cors: a header is named by letters, digits and hyphens, such as X-Request-ID; API Gateway takes no quotes and no spaces in it."
  }
}

variable "description" {
  description = "What the API is for, in one sentence."
  type        = string
  default     = null
}

variable "error_codes" {
  description = "Codes in API Gateway's own errors, by response type, where the application uses other words, such as REQUEST_TOO_LARGE = \"event_too_large\"."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = length(setsubtract(keys(var.error_codes), [
      "ACCESS_DENIED",
      "DEFAULT_4XX",
      "DEFAULT_5XX",
      "INTEGRATION_FAILURE",
      "INTEGRATION_TIMEOUT",
      "MISSING_AUTHENTICATION_TOKEN",
      "REQUEST_TOO_LARGE",
      "THROTTLED",
      "UNAUTHORIZED",
    ])) == 0
    error_message = "error_codes: the response types are ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, INTEGRATION_FAILURE, INTEGRATION_TIMEOUT, MISSING_AUTHENTICATION_TOKEN, REQUEST_TOO_LARGE, THROTTLED and UNAUTHORIZED."
  }
}

variable "invoke_arn" {
  description = "ARN by which API Gateway calls the function that serves requests, alias and all: invoke_arn of lambda_function."
  type        = string

  validation {
    condition     = can(regex(":function:[^:/]+:[^:/]+/invocations$", var.invoke_arn))
    error_message = "invoke_arn must name a function and its alias, and end with /invocations; pass invoke_arn of the module lambda_function."
  }
}

variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9._-]{1,128}$", var.name))
    error_message = "name must be 1 to 128 letters, digits, dots, underscores or hyphens: the log group of the API and its alarms are called so as well."
  }
}

variable "open_writes" {
  description = "Whether production may have an API that everybody writes through: one that is not checked."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.open_writes || var.checked || !var.production
    error_message = "Every method of ${var.name} would let everybody write, so production refuses it; say checked = true if the function itself checks its callers, or say open_writes = true if that is meant."
  }
}

variable "production" {
  description = "Whether this is production, where open writes have to be said and refused requests raise an alarm; true unless it is said to be otherwise."
  type        = bool
  default     = true
  nullable    = false
}

variable "stage_name" {
  description = "Name of the stage, the first part of every path."
  type        = string
  default     = "prod"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.stage_name))
    error_message = "stage_name must be 1 to 128 letters, digits, underscores or hyphens."
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

variable "throttled" {
  description = "Requests a second over time, and at once, of single routes, by a method and a path such as \"POST /auth/session\", with two alarms each; for what makes something without a login."
  type = map(object({
    rate_limit  = number
    burst_limit = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.throttled) : can(regex("^(DELETE|GET|HEAD|PATCH|POST|PUT) (/([A-Za-z0-9._:-]+|\\{[A-Za-z0-9._-]+\\})){1,3}$", key))])
    error_message = "throttled: a key is a method and a path of one to three parts, such as \"POST /auth/session\" or \"POST /links/{code}/open\", of letters, digits and . _ - : alone; every other route has the throttling of the stage."
  }

  validation {
    condition     = alltrue([for limits in values(var.throttled) : limits.rate_limit > 0 && limits.burst_limit > 0])
    error_message = "throttled: rate_limit and burst_limit must be more than 0; to close a route let the function refuse it."
  }

  validation {
    condition     = alltrue([for limits in values(var.throttled) : floor(limits.burst_limit) == limits.burst_limit])
    error_message = "throttled: burst_limit is a whole number of requests."
  }

  validation {
    condition     = alltrue([for key in keys(var.throttled) : length("${var.name}-${key} calls") <= 255])
    error_message = "throttled: an alarm is called after ${var.name} and the route, and CloudWatch takes 255 characters; shorten the name or the path of ${join(", ", [for key in keys(var.throttled) : key if length("${var.name}-${key} calls") > 255])}."
  }

  validation {
    # The root and {proxy+} are two.
    condition = 2 + length(distinct(flatten([
      for parts in [for key in keys(var.throttled) : split("/", key)] : [for end in range(2, length(parts) + 1) : join("/", slice(parts, 1, end))]
    ]))) <= 300
    error_message = "throttled: an API has 300 resources at most, one for each part of each path; give fewer routes a limit of their own."
  }
}

variable "throttling" {
  description = "Requests a second over time, and at once, that are let through before API Gateway returns 429."
  type = object({
    rate_limit  = optional(number, 1000)
    burst_limit = optional(number, 500)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttling.rate_limit > 0 && var.throttling.burst_limit > 0
    error_message = "throttling: rate_limit and burst_limit must be more than 0; to stop an API set its function's reserved concurrency to 0."
  }

  validation {
    condition     = floor(var.throttling.burst_limit) == var.throttling.burst_limit
    error_message = "throttling: burst_limit is a whole number of requests."
  }
}

variable "timeout" {
  description = "Seconds that API Gateway waits for the function."
  type        = number
  default     = 29
  nullable    = false

  validation {
    condition     = 1 <= var.timeout && var.timeout <= 29
    error_message = "timeout must be from 1 to 29 seconds, which is the longest that API Gateway waits without a raised quota."
  }
}

variable "web_acl_arn" {
  description = "ARN of a web ACL of AWS WAF in the API's region, which looks at every request before API Gateway does; null has none."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null ? true : can(regex("^arn:[^:]+:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+$", var.web_acl_arn))
    error_message = "web_acl_arn must be the ARN of a regional web ACL, such as arn:aws:wafv2:us-east-1:111111111111:regional/webacl/name/id; one of CloudFront's (global) is for a distribution."
  }
}

variable "xray_tracing_enabled" {
  description = "Whether X-Ray traces the requests."
  type        = bool
  default     = false
  nullable    = false
}
