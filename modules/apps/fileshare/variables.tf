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

variable "capacity" {
  description = "What an operator turns in an incident, for both tables: billing mode, read and write units; null means on demand."
  type = object({
    billing_mode   = optional(string)
    read_capacity  = optional(number)
    write_capacity = optional(number)
  })
  default  = {}
  nullable = false
}

variable "deletion_protection_enabled" {
  description = "Whether DynamoDB refuses to delete the tables; null is so in production alone."
  type        = bool
  default     = null
}

variable "lambda" {
  description = "The backend as a function behind an HTTP API: its size, logs, concurrency, what browsers may call it, whether everybody may sign up in production and read its docs pages, what a custom domain's mapping puts before its paths, and requests a second before 429, of all and of sign-ups alone; null makes only what the service needs."
  type = object({
    memory_size                       = optional(number, 512)
    timeout                           = optional(number, 30)
    log_level                         = optional(string, "INFO")
    logs_retention_in_days            = optional(number, 7)
    reserved_concurrent_executions    = optional(number)
    provisioned_concurrent_executions = optional(number)
    tracing                           = optional(bool, false)
    cors_origins                      = optional(list(string), ["*"])
    open_writes                       = optional(bool, false)
    public_docs                       = optional(bool, true)
    base_path                         = optional(string)
    throttling = optional(object({
      rate_limit  = optional(number, 1000)
      burst_limit = optional(number, 500)
    }), {})
    sign_up_throttling = optional(object({
      rate_limit  = optional(number, 5)
      burst_limit = optional(number, 20)
    }), {})
  })
  default = null

  validation {
    condition     = var.lambda == null ? true : contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.lambda.log_level)
    error_message = "lambda: log_level must be DEBUG, INFO, WARNING or ERROR."
  }

  validation {
    condition     = try(var.lambda.base_path, null) == null ? true : length(var.lambda.base_path) <= 300 && can(regex("^(/[A-Za-z0-9$_.+!*'()-]+)+$", var.lambda.base_path))
    error_message = "lambda: base_path begins with a slash and ends without one, such as /shop, in at most 300 characters."
  }

  validation {
    # A browser names its origin in this form alone.
    condition = var.lambda == null ? true : length(var.lambda.cors_origins) > 0 && (var.lambda.cors_origins == tolist(["*"]) || alltrue([
      for origin in var.lambda.cors_origins : can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$", origin))
    ]))
    error_message = "lambda: cors_origins is * alone, or a list of origins of a scheme and a host, such as https://app.example.com."
  }

  validation {
    condition     = var.lambda == null || contains(keys(var.packages), "api")
    error_message = "lambda: the package of the function api is missing; run \"make build\"."
  }
}

variable "merge_plus_addresses" {
  description = "Whether ada+x@example.com is the user ada@example.com; where it becomes true, \"sawhorse run ROOT migrate --addresses\" merges those who are there."
  type        = bool
  default     = false
  nullable    = false
}

variable "packages" {
  description = "What the build measured, by function; the Lambda form has one, api."
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
  default  = {}
  nullable = false

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
  description = "Whether this is production, where sign-ups for everybody have to be said and refused requests raise an alarm."
  type        = bool
  nullable    = false
}

variable "release" {
  description = "How a new version becomes live: gated leaves live where it is until a release moves it, direct moves it with the apply that publishes."
  type        = string
  default     = "gated"
  nullable    = false
}

variable "service" {
  description = "The backend's own ECS service, which was there before: its cluster and name, how many tasks are to run at least, and by their ARN suffixes (as the metrics of Elastic Load Balancing name them) its load balancer and target group, with the percentage of requests that may fail; null watches none."
  type = object({
    cluster = string
    name    = string
    tasks   = optional(number, 1)
    behind = optional(object({
      load_balancer  = string
      target_group   = string
      errors_percent = optional(number, 5)
    }))
  })
  default = null

  validation {
    condition     = var.service == null ? true : can(regex("^[A-Za-z0-9_-]{1,255}$", var.service.cluster)) && can(regex("^[A-Za-z0-9_-]{1,255}$", var.service.name))
    error_message = "service: cluster and name are names, without their ARNs, of 1 to 255 letters, digits, underscores and hyphens, such as sharing and flask-app."
  }

  validation {
    condition     = var.service == null ? true : 1 <= var.service.tasks && floor(var.service.tasks) == var.service.tasks
    error_message = "service: tasks is how many are to run at least, a whole number from 1 on."
  }

  validation {
    condition = try(var.service.behind, null) == null ? true : (
      can(regex("^app/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}$", var.service.behind.load_balancer)) && can(regex("^targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}$", var.service.behind.target_group))
    )
    error_message = "service: behind names an application load balancer and a target group by the ends of their ARNs, such as app/sharing/50dc6c495c0c9188 and targetgroup/flask-app/73e2d6bc24d8a067."
  }

  validation {
    condition     = try(var.service.behind, null) == null ? true : 0 < var.service.behind.errors_percent && var.service.behind.errors_percent <= 100
    error_message = "service: errors_percent is more than 0 and at most 100."
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

variable "task_role" {
  description = "Name of the service's task role, which exists already and gets the policy; null attaches it to none."
  type        = string
  default     = null

  validation {
    condition     = var.task_role == null ? true : can(regex("^[\\w+=,.@-]{1,64}$", var.task_role))
    error_message = "task_role must be the name of a role, without its ARN and path, such as file-sharing-app-dev-flask-app-task-role."
  }
}
