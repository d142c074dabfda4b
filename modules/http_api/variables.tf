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

variable "composed_alarms" {
  description = "Whether a composite alarm tells of those that the output alarms names, so that they tell nobody themselves."
  type        = bool
  default     = false
  nullable    = false
}

variable "cors_configuration" {
  description = "What API Gateway tells browsers, preflights too, whatever the function says; null leaves all of it to the function."
  type = object({
    allow_origins     = optional(list(string), ["*"])
    allow_methods     = optional(list(string), ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    allow_headers     = optional(list(string), ["Authorization", "Content-Type", "X-Request-ID"])
    expose_headers    = optional(list(string), ["X-Request-ID"])
    max_age           = optional(number, 3600)
    allow_credentials = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.cors_configuration == null ? true : length(var.cors_configuration.allow_origins) > 0 && length(var.cors_configuration.allow_methods) > 0
    error_message = "cors_configuration: name at least one origin and one method, or say null to leave it to the function."
  }

  validation {
    condition     = var.cors_configuration == null ? true : alltrue([for origin in var.cors_configuration.allow_origins : origin == "*" || can(regex("^https?://[^/*'\\s]+$", origin))])
    error_message = "cors_configuration: an origin is * or a scheme and a host with nothing behind it, such as https://app.example.com."
  }

  validation {
    condition     = var.cors_configuration == null ? true : !contains(var.cors_configuration.allow_origins, "*") || length(var.cors_configuration.allow_origins) == 1
    error_message = "cors_configuration: * already lets every origin in; name it alone or name the origins."
  }

  validation {
    condition     = var.cors_configuration == null ? true : !var.cors_configuration.allow_credentials || !contains(concat(var.cors_configuration.allow_origins, var.cors_configuration.allow_methods, var.cors_configuration.allow_headers, var.cors_configuration.expose_headers), "*")
    error_message = "cors_configuration: browsers refuse credentials together with *; name the origins, methods and headers one by one, or leave credentials out."
  }

  validation {
    condition     = var.cors_configuration == null ? true : alltrue([for method in var.cors_configuration.allow_methods : contains(["*", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"], method)])
    error_message = "cors_configuration: a method is *, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT."
  }

  validation {
    condition     = var.cors_configuration == null ? true : 0 <= var.cors_configuration.max_age && var.cors_configuration.max_age <= 86400
    error_message = "cors_configuration: max_age must be from 0 to 86400 seconds, which are a day."
  }
}

variable "description" {
  description = "What the API is for, in one sentence."
  type        = string
  default     = null

  validation {
    condition     = var.description == null ? true : length(var.description) <= 1024
    error_message = "description has 1024 characters at most, and this one has ${length(coalesce(var.description, "-"))}; shorten it."
  }
}

variable "invoke_arn" {
  description = "ARN by which API Gateway calls the function that serves requests, alias and all: invoke_arn of lambda_function."
  type        = string

  validation {
    condition     = can(regex(":function:[^:/]+:[^:/]+/invocations$", var.invoke_arn)) && length(var.invoke_arn) <= 2048
    error_message = "invoke_arn must name a function and its alias, end with /invocations and have 2048 characters at most; pass invoke_arn of the module lambda_function."
  }
}

variable "jwt" {
  description = "Who issues the tokens that routes ask for, as tokens spell it, and the audiences that are let in; null opens every route."
  type = object({
    issuer   = string
    audience = list(string)
  })
  default = null

  validation {
    # Loopback is the local AWS's own issuer.
    condition     = var.jwt == null ? true : can(regex("^(https://[^/?#\\s]+|http://(127\\.0\\.0\\.1|localhost)(:[0-9]{1,5})?)(/[^?#\\s]*)?$", var.jwt.issuer))
    error_message = "jwt: the issuer is an https:// address, spelled as the tokens spell it, such as https://example.eu.auth0.com/ (with its slash)."
  }

  validation {
    condition     = var.jwt == null ? true : length(var.jwt.audience) > 0 && alltrue([for audience in var.jwt.audience : trimspace(audience) != ""])
    error_message = "jwt: name at least one audience, or tokens that were issued for another application would be let in."
  }

  validation {
    condition     = var.jwt == null ? true : length(var.jwt.issuer) <= 2048
    error_message = "jwt: the address of the issuer has 2048 characters at most; shorten it."
  }

  validation {
    condition     = var.jwt == null ? true : length(var.jwt.audience) <= 50
    error_message = "jwt: API Gateway takes 50 audiences at most, and these are ${try(length(var.jwt.audience), 0)}; leave some out."
  }
}

variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9._-]{1,128}$", var.name))
    error_message = "name must be 1 to 128 letters, digits, dots, underscores or hyphens: the log group of the API and its alarms are called so as well."
  }

  validation {
    condition     = alltrue([for key in keys(local.throttled) : length("${var.name}-${key} calls") <= 255])
    error_message = "name: an alarm is called after ${var.name} and a route that has a limit of its own, and CloudWatch takes 255 characters; shorten the name or the path of ${join(", ", [for key in keys(local.throttled) : key if length("${var.name}-${key} calls") > 255])}."
  }
}

variable "open_throttling" {
  description = "Requests a second over time, and at once, of each route that everybody may write through and that has no throttling of its own."
  type = object({
    rate_limit  = optional(number, 50)
    burst_limit = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.open_throttling.rate_limit > 0 && var.open_throttling.burst_limit > 0
    error_message = "open_throttling: rate_limit and burst_limit must be more than 0; to close a route leave it out."
  }

  validation {
    condition     = floor(var.open_throttling.burst_limit) == var.open_throttling.burst_limit
    error_message = "open_throttling: burst_limit is a whole number of requests."
  }
}

variable "open_writes" {
  description = "Whether production may have routes that write and that nobody logs in for: those with a method that writes, without a token, that are not checked."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.open_writes || !var.production ? true : length(local.open_writes) == 0
    error_message = "routes: ${join(", ", keys(local.open_writes))} would let everybody write, so production refuses it; set jwt, so that a route which is not public asks for a token, say checked = true of a route whose callers the function itself checks, or say open_writes = true if that is meant."
  }
}

variable "production" {
  description = "Whether this is production, where open writes have to be said and refused requests raise an alarm; true unless it is said to be otherwise."
  type        = bool
  default     = true
  nullable    = false
}

variable "routes" {
  description = "Routes by their key, a method and a path or $default: a public one asks for no token; a checked one makes nothing for callers whom the function does not know, by credentials of its own; scopes are those of which a token needs one; throttling is requests a second over time, and at once, of this route alone."
  type = map(object({
    public               = optional(bool, false)
    checked              = optional(bool, false)
    authorization_scopes = optional(list(string), [])
    throttling = optional(object({
      rate_limit  = number
      burst_limit = number
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for route in values(var.routes) : length(route.authorization_scopes) == 0 || (var.jwt != null && !route.public)])
    error_message = "routes: ${join(", ", [for key, route in var.routes : key if length(route.authorization_scopes) > 0 && (var.jwt == null || route.public)])} asks for scopes and for no token that would have them; set jwt and leave public out, or leave scopes out."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.throttling == null ? true : route.throttling.rate_limit > 0 && route.throttling.burst_limit > 0])
    error_message = "routes: rate_limit and burst_limit of a route's throttling must be more than 0; to close a route leave it out."
  }

  validation {
    condition     = length(var.routes) > 0
    error_message = "routes: an API without routes serves nothing; name at least one, such as \"ANY /{proxy+}\" or \"$default\"."
  }

  validation {
    condition = alltrue([
      for key in keys(var.routes) :
      key == "$default" || can(regex("^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (/|(/([A-Za-z0-9._~:@!$&'()*,;=%-]+|\\{[A-Za-z0-9._-]+\\}))*(/\\{[A-Za-z0-9._-]+\\+\\})?/?)$", key))
    ])
    error_message = "routes: a key is $default or a method and a path, such as \"GET /api/health\" or \"ANY /{proxy+}\"; a path starts with a slash and only its last part takes the rest ({proxy+})."
  }

  validation {
    condition     = var.jwt == null || var.cors_configuration == null ? true : alltrue([for key, route in var.routes : route.public || !can(regex("^(\\$default|OPTIONS .*)$", key))])
    error_message = "routes: ${join(", ", [for key, route in var.routes : key if !route.public && can(regex("^(\\$default|OPTIONS .*)$", key))])} would ask a browser's preflight for a token, which it does not send; make it public, or name \"ANY /{proxy+}\", which leaves OPTIONS to API Gateway."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.throttling == null ? true : floor(route.throttling.burst_limit) == route.throttling.burst_limit])
    error_message = "routes: burst_limit of a route is a whole number of requests."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : length(route.authorization_scopes) <= 10])
    error_message = "routes: API Gateway takes 10 scopes a route at most; leave some out of ${join(", ", [for key, route in var.routes : key if length(route.authorization_scopes) > 10])}."
  }

  validation {
    condition     = alltrue(flatten([for route in values(var.routes) : [for scope in route.authorization_scopes : 1 <= length(scope) && length(scope) <= 64]]))
    error_message = "routes: a scope has 1 to 64 characters; shorten it where tokens are issued."
  }

  validation {
    condition     = sum(concat([0], [for key in keys(var.routes) : startswith(key, "ANY ") && var.cors_configuration != null ? 6 : 1])) <= 300
    error_message = "routes: an API has 300 at most, and ANY counts as six where API Gateway answers preflights; let one route take several, such as \"ANY /{proxy+}\"."
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
  default     = 30
  nullable    = false

  validation {
    condition     = 1 <= var.timeout && var.timeout <= 30
    error_message = "timeout must be from 1 to 30 seconds, which is the longest that API Gateway waits."
  }
}
