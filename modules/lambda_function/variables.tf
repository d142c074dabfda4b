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
  description = "What within a minute raises an alarm: errors, requests that the function itself answers with 500 or more, throttled calls, the longest call as a percentage of the timeout, and the most memory of a call as a percentage of memory_size; what is not named raises none."
  type = object({
    errors           = optional(number)
    server_errors    = optional(number)
    throttles        = optional(number)
    duration_percent = optional(number)
    memory_percent   = optional(number)
  })
  default  = { errors = 1, server_errors = 1, throttles = 1, duration_percent = 90, memory_percent = 90 }
  nullable = false

  validation {
    condition     = var.alarms.server_errors == null || var.logs.application_log_level != "FATAL"
    error_message = "alarms: server_errors are counted in the log, in lines of the level ERROR, which application_log_level FATAL leaves out; write ERROR there, or leave server_errors out."
  }

  validation {
    condition     = var.alarms.memory_percent == null || var.logs.system_log_level != "WARN"
    error_message = "alarms: memory_percent is read in Lambda's own log, in lines of the level INFO, which system_log_level WARN leaves out; write INFO there, or leave memory_percent out."
  }
}

variable "async" {
  description = "How asynchronous calls are retried, how long they may wait, and where one that failed or succeeded goes (with the grant that the role needs for it); null leaves Lambda's own way."
  type = object({
    maximum_retry_attempts       = optional(number, 2)
    maximum_event_age_in_seconds = optional(number, 21600)
    on_failure = optional(object({
      arn = string
      grant = object({
        actions   = list(string)
        resources = list(string)
        key       = optional(object({ arn = string, actions = list(string) }))
      })
    }))
    on_success = optional(object({
      arn = string
      grant = object({
        actions   = list(string)
        resources = list(string)
        key       = optional(object({ arn = string, actions = list(string) }))
      })
    }))
  })
  default = null

  validation {
    condition     = var.async == null ? true : contains([0, 1, 2], var.async.maximum_retry_attempts) && 60 <= var.async.maximum_event_age_in_seconds && var.async.maximum_event_age_in_seconds <= 21600
    error_message = "async: maximum_retry_attempts must be 0, 1 or 2, and maximum_event_age_in_seconds from 60 to 21600."
  }
}

variable "composed_alarms" {
  description = "Whether a composite alarm tells of those that the output alarms names, so that they tell nobody themselves."
  type        = bool
  default     = false
  nullable    = false
}

variable "description" {
  description = "What the function is for, in one sentence."
  type        = string
  default     = null

  # Lambda takes 256, and the content's hash stands behind it.
  validation {
    condition     = var.description == null ? true : length(var.description) <= 200
    error_message = "description has 200 characters at most, and this one has ${length(coalesce(var.description, "-"))}; shorten it."
  }
}

variable "environment" {
  description = "Environment variables of the function; never a secret: what sounds or looks like one is refused."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = length(setintersection(keys(var.environment), [
      "_HANDLER",
      "_X_AMZN_TRACE_ID",
      "AWS_ACCESS_KEY",
      "AWS_ACCESS_KEY_ID",
      "AWS_DEFAULT_REGION",
      "AWS_EXECUTION_ENV",
      "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
      "AWS_LAMBDA_FUNCTION_NAME",
      "AWS_LAMBDA_FUNCTION_VERSION",
      "AWS_LAMBDA_INITIALIZATION_TYPE",
      "AWS_LAMBDA_LOG_GROUP_NAME",
      "AWS_LAMBDA_LOG_STREAM_NAME",
      "AWS_LAMBDA_MAX_CONCURRENCY",
      "AWS_LAMBDA_METADATA_API",
      "AWS_LAMBDA_METADATA_TOKEN",
      "AWS_LAMBDA_RUNTIME_API",
      "AWS_REGION",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SECRET_KEY",
      "AWS_SESSION_TOKEN",
      "LAMBDA_RUNTIME_DIR",
      "LAMBDA_TASK_ROOT",
    ])) == 0
    error_message = "environment: Lambda sets ${join(", ", [for name in sort(keys(var.environment)) : name if can(regex("^(_HANDLER|_X_AMZN_TRACE_ID|AWS_.*|LAMBDA_.*)$", name))])} itself and refuses it from anybody else; leave it out and read what Lambda sets."
  }

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name)) || contains(["_HANDLER", "_X_AMZN_TRACE_ID"], name)])
    error_message = "environment: a name starts with a letter, has at least two characters, and only letters, digits and underscores; call ${join(", ", [for name in keys(var.environment) : name if !can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])} otherwise."
  }

  validation {
    # As Lambda measures it, with < > and & as they are.
    condition     = length(base64encode(replace(jsonencode(var.environment), "/\\\\u00(3c|3e|26)/", "<"))) / 4 * 3 - length(regexall("=", base64encode(replace(jsonencode(var.environment), "/\\\\u00(3c|3e|26)/", "<")))) <= 4096
    error_message = "environment: Lambda takes 4096 bytes, as JSON with the names, and these are ${length(base64encode(replace(jsonencode(var.environment), "/\\\\u00(3c|3e|26)/", "<"))) / 4 * 3 - length(regexall("=", base64encode(replace(jsonencode(var.environment), "/\\\\u00(3c|3e|26)/", "<"))))}; keep what is long in a parameter of the module ssm_parameters, and let the function read it."
  }
}

variable "ephemeral_storage_size" {
  description = "Size of /tmp in MB."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = 512 <= var.ephemeral_storage_size && var.ephemeral_storage_size <= 10240
    error_message = "ephemeral_storage_size must be from 512 to 10240 MB."
  }

  validation {
    condition     = floor(var.ephemeral_storage_size) == var.ephemeral_storage_size
    error_message = "ephemeral_storage_size is a whole number."
  }
}

variable "grants" {
  description = "Permissions of the function's role, as the modules hand them out; its own log group is granted without asking."
  type = list(object({
    actions   = list(string)
    resources = list(string)
    key       = optional(object({ arn = string, actions = list(string) }))
  }))
  default  = []
  nullable = false
}

variable "image" {
  description = "Container image in ECR that holds the code, with its architecture and what to start; null when there is a package."
  type = object({
    uri          = string
    architecture = optional(string, "x86_64")
    command      = optional(list(string))
    entry_point  = optional(list(string))
  })
  default = null

  validation {
    condition     = (var.image == null) != (var.package == null)
    error_message = "Give the function either a package or an image, not both and not neither."
  }

  validation {
    condition     = var.image == null ? true : contains(["x86_64", "arm64"], var.image.architecture)
    error_message = "image: the architecture must be x86_64 or arm64."
  }

  # A tag can be pushed anew, and Terraform would neither see it nor run what was tried.
  validation {
    condition     = var.image == null ? true : can(regex("@sha256:[0-9a-f]{64}$", var.image.uri))
    error_message = "image: name ${try(var.image.uri, "it")} by its digest, since a tag can be pushed anew: REPOSITORY@sha256:DIGEST, where \"aws ecr describe-images --repository-name NAME --image-ids imageTag=TAG\" says the digest."
  }

  validation {
    condition     = length(try(coalescelist(var.image.command, []), [])) <= 1500 && length(try(coalescelist(var.image.entry_point, []), [])) <= 1500
    error_message = "image: command and entry_point have 1500 words at most; put them into a program of the image."
  }
}

variable "layers" {
  description = "ARNs of layer versions, in the order in which Lambda lays them down."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5
    error_message = "layers: Lambda takes at most five, and these are ${length(var.layers)}; leave one out, or put what it holds into the package or into another layer."
  }

  validation {
    condition     = var.image == null || length(var.layers) == 0
    error_message = "layers: an image has none; put what they hold into the image."
  }

  validation {
    condition     = alltrue([for arn in var.layers : can(regex("^arn:[^:]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[1-9][0-9]*$", arn)) && length(arn) <= 2048])
    error_message = "layers: name a version of each layer by its whole ARN, such as arn:aws:lambda:us-east-1:111111111111:layer:NAME:3; \"aws lambda list-layer-versions --layer-name NAME\" says which there are."
  }

  validation {
    condition     = alltrue([for arn in var.layers : try(split(":", arn)[3] == local.region, true)])
    error_message = "layers: Lambda takes those of its own region, ${local.region}, alone; name the version of each that is there."
  }

  validation {
    condition     = length(distinct([for arn in var.layers : replace(arn, "/:[0-9]+$/", "")])) == length(var.layers)
    error_message = "layers: Lambda takes one version of a layer, and ${join(", ", distinct([for arn in var.layers : arn if length([for other in var.layers : other if replace(other, "/:[0-9]+$/", "") == replace(arn, "/:[0-9]+$/", "")]) > 1]))} are of one; leave all but one out."
  }
}

variable "logs" {
  description = "Days to keep log events, the least level that the application and Lambda itself write, and the KMS key that encrypts them, null for CloudWatch's own."
  type = object({
    retention_in_days     = optional(number, 7)
    application_log_level = optional(string, "INFO")
    system_log_level      = optional(string, "INFO")
    kms_key_id            = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_in_days)
    error_message = "logs: CloudWatch keeps events for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL"], var.logs.application_log_level)
    error_message = "logs: the level must be TRACE, DEBUG, INFO, WARN (or WARNING), ERROR or FATAL."
  }

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN"], var.logs.system_log_level)
    error_message = "logs: the system level must be DEBUG, INFO or WARN."
  }

  validation {
    condition     = try(var.logs.kms_key_id, null) == null ? true : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.logs.kms_key_id)) && length(var.logs.kms_key_id) <= 256
    error_message = "logs: kms_key_id is the ARN of a key, of 256 characters at most (arn:aws:kms:REGION:ACCOUNT:key/ID); CloudWatch takes no alias."
  }
}

variable "memory_size" {
  description = "Memory in MB, which the share of a processor goes with."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = 128 <= var.memory_size && var.memory_size <= 10240
    error_message = "memory_size must be from 128 to 10240 MB."
  }

  validation {
    condition     = floor(var.memory_size) == var.memory_size
    error_message = "memory_size is a whole number."
  }
}

variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, underscores or hyphens."
  }

  validation {
    condition     = !can(regex("^(?i:aws|ssm)", var.name))
    error_message = "name must not begin with aws or ssm: the pin of the alias live is the parameter /${var.name}/live, and Systems Manager keeps such names for itself."
  }
}

variable "object" {
  description = "Where the package lies in S3, as the module lambda_packages says; null hands it over in the call, which takes 50 MB."
  type = object({
    bucket = string
    key    = string
  })
  default = null

  validation {
    condition     = var.object == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.object.bucket)) && 1 <= length(var.object.key) && length(var.object.key) <= 1024
    error_message = "object: a bucket is named by 3 to 63 lower-case letters, digits, hyphens and dots, and a key has 1 to 1024 characters; pass what the module lambda_packages says."
  }
}

variable "other_policies" {
  description = "What the role has besides its grants, made elsewhere: names of policies written into it, and ARNs of policies attached to it, each as its own resource says it; anything else is taken away by the next apply, unless unknown is true."
  type = object({
    policy_names = optional(set(string), [])
    policy_arns  = optional(set(string), [])
    unknown      = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in var.other_policies.policy_names : can(regex("^[\\w+=,.@-]{1,128}$", name))])
    error_message = "other_policies: policy_names has the names of policies, 1 to 128 letters, digits or characters of +=,.@_- as IAM has it; ARNs stand in policy_arns."
  }

  validation {
    condition     = !contains(var.other_policies.policy_names, "grants")
    error_message = "other_policies: the policy grants is the module's own, and nobody else can write one of that name into the role; give yours another name."
  }

  validation {
    condition     = alltrue([for arn in var.other_policies.policy_arns : can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]+$", arn))])
    error_message = "other_policies: policy_arns has the ARNs of policies, such as arn:aws:iam::111111111111:policy/reader; names stand in policy_names."
  }

  validation {
    condition     = length(var.other_policies.policy_arns) <= 10
    error_message = "other_policies: AWS attaches 10 managed policies to a role, and these are ${length(var.other_policies.policy_arns)}; put several into one."
  }
}

variable "package" {
  description = "The zip as the manifest describes it, its path seen from the root; null when there is an image."
  type = object({
    path           = string
    sha256         = string
    content_sha256 = string
    size           = optional(number, 0)
    upload         = optional(string, "direct")
    handler        = string
    runtime        = string
    architecture   = string
  })
  default = null

  validation {
    condition     = var.package == null ? true : contains(["x86_64", "arm64"], var.package.architecture)
    error_message = "package: the architecture must be x86_64 or arm64."
  }

  validation {
    # The release that runs cannot be asked: 6 gives a data source of a region its region, and 5.100 does not.
    condition     = try(var.package.runtime, "") != "python3.14" || lookup(data.aws_region.current, "region", null) != null
    error_message = "package: provider 5 refuses the runtime python3.14; take AWS provider 6.21 or newer, or python3.13."
  }

  validation {
    condition     = var.object != null || try(var.package.upload, "direct") == "direct"
    error_message = "package: ${try(replace(var.package.path, "/^(\\.\\.?/)+/", ""), "it")} is to go through S3 (upload is s3); upload it with the module lambda_packages, and give the object that it says."
  }

  validation {
    condition     = var.object != null || try(var.package.size, 0) <= 52428800
    error_message = "package: ${try(replace(var.package.path, "/^(\\.\\.?/)+/", ""), "it")} has ${try(var.package.size, 0)} bytes, and Lambda takes 52428800 in a call; upload it with the module lambda_packages, and give the object that it says."
  }

  validation {
    condition     = var.object == null || var.package != null
    error_message = "object: an image is in ECR; leave the object out."
  }

  validation {
    condition     = var.package == null ? true : can(regex("^[^\\s]{1,128}$", var.package.handler))
    error_message = "package: a handler is a module and a function in it, of 128 characters at most and without spaces, such as app.main.handler."
  }
}

variable "permissions_boundary" {
  description = "ARN of the managed policy that bounds the function's role, whatever is written into it; null bounds it by nothing."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[^:*?]+:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]{1,512}$", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a managed policy, such as arn:aws:iam::111111111111:policy/boundary."
  }
}

variable "production" {
  description = "Whether this is production, where a URL that lets everybody write has to be said; true unless it is said to be otherwise."
  type        = bool
  default     = true
  nullable    = false
}

variable "provisioned_concurrent_executions" {
  description = "Workers of the live version that are kept warm; null keeps none."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.provisioned_concurrent_executions, 1) >= 1
    error_message = "provisioned_concurrent_executions must be at least 1, or null for none."
  }

  validation {
    condition     = var.reserved_concurrent_executions == null || var.provisioned_concurrent_executions == null ? true : var.provisioned_concurrent_executions <= var.reserved_concurrent_executions
    error_message = "provisioned_concurrent_executions must not be larger than reserved_concurrent_executions, which it is taken from."
  }

  validation {
    condition     = floor(coalesce(var.provisioned_concurrent_executions, 1)) == coalesce(var.provisioned_concurrent_executions, 1)
    error_message = "provisioned_concurrent_executions is a whole number of calls."
  }
}

variable "queues" {
  description = "Queues that the function works on, by a name for each: source of the module sqs_queue, messages a call, seconds to wait for that many, and the most calls at once, never more than are reserved, null for no limit of its own."
  type = map(object({
    source = object({
      arn                        = string
      visibility_timeout_seconds = number
      grant = object({
        actions   = list(string)
        resources = list(string)
        key       = optional(object({ arn = string, actions = list(string) }))
      })
    })
    batch_size                         = optional(number, 10)
    maximum_batching_window_in_seconds = optional(number, 0)
    maximum_concurrency                = optional(number)
  }))
  default  = {}
  nullable = false

  # Six times: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html. Messages are hidden while the window gathers more.
  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.source.visibility_timeout_seconds >= 6 * var.timeout + queue.maximum_batching_window_in_seconds])
    error_message = "queues: the visibility_timeout_seconds of ${join(" and of ", [for name, queue in var.queues : "${name} (${queue.source.visibility_timeout_seconds}) must be at least ${6 * var.timeout + queue.maximum_batching_window_in_seconds}" if queue.source.visibility_timeout_seconds < 6 * var.timeout + queue.maximum_batching_window_in_seconds])}, six times the timeout of ${var.timeout} seconds and the window; raise it in the queue, or lower the timeout."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : 1 <= queue.batch_size && queue.batch_size <= 10000])
    error_message = "queues: batch_size must be from 1 to 10000 messages."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : 0 <= queue.maximum_batching_window_in_seconds && queue.maximum_batching_window_in_seconds <= 300])
    error_message = "queues: maximum_batching_window_in_seconds must be from 0 to 300."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.batch_size <= 10 || queue.maximum_batching_window_in_seconds >= 1])
    error_message = "queues: SQS hands out ten messages at a time, so a larger batch_size needs a maximum_batching_window_in_seconds of at least 1 to gather them."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.maximum_concurrency == null ? true : 2 <= queue.maximum_concurrency && queue.maximum_concurrency <= 1000])
    error_message = "queues: maximum_concurrency must be from 2 to 1000, or null for no limit of its own."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : can(regex("^arn:[^:]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$", queue.source.arn))])
    error_message = "queues: name the queue of ${join(", ", keys(var.queues))} by its ARN, as the source of the module sqs_queue does."
  }
}

variable "release" {
  description = "How a new version becomes live: gated leaves live where it is until a release moves it, direct moves it with the apply that publishes."
  type        = string
  default     = "gated"
  nullable    = false

  validation {
    condition     = contains(["direct", "gated"], var.release)
    error_message = "release must be gated, so that a release moves live, or direct, so that every apply does."
  }
}

variable "reserved_concurrent_executions" {
  description = "Most calls at once, set apart from the account's pool; 0 stops the function and leaves messages in their queues, null takes from the pool."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.reserved_concurrent_executions, 0) >= 0
    error_message = "reserved_concurrent_executions must be 0 or more, or null for no limit of its own."
  }

  validation {
    condition     = floor(coalesce(var.reserved_concurrent_executions, 1)) == coalesce(var.reserved_concurrent_executions, 1)
    error_message = "reserved_concurrent_executions is a whole number of calls."
  }
}

variable "role_name" {
  description = "Name of the role when it is not the function's."
  type        = string
  default     = null

  validation {
    condition     = var.role_name == null ? true : can(regex("^[\\w+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must be 1 to 64 letters, digits or characters of +=,.@_- as IAM has it."
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

variable "timeout" {
  description = "Seconds after which Lambda ends a call."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = 1 <= var.timeout && var.timeout <= 900
    error_message = "timeout must be from 1 to 900 seconds."
  }

  validation {
    condition     = floor(var.timeout) == var.timeout
    error_message = "timeout is a whole number."
  }
}

variable "tracing" {
  description = "Whether X-Ray traces the calls."
  type        = bool
  default     = false
  nullable    = false
}

variable "triggers" {
  description = "Who may call the alias live, by a name for each: a service's principal with the ARN of the thing that calls (and source_account, the account that this thing is in, where it is another account than this one), or the number of an account, or the ARN of one of its roles or users."
  type = map(object({
    principal      = string
    source_arn     = optional(string)
    source_account = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.triggers) : can(regex("^[a-zA-Z0-9_-]{1,100}$", name))])
    error_message = "triggers: a name has 1 to 100 letters, digits, underscores or hyphens: a statement of the policy of the function is called so."
  }
}

variable "url" {
  description = "Function URL of the alias live: who may call it (AWS_IAM or NONE), what browsers are told, and whether responses are streamed; one with NONE is checked when the function itself makes nothing for callers whom it does not know, and has open_writes when everybody is meant to write; null makes none."
  type = object({
    authorization_type = optional(string, "AWS_IAM")
    streaming          = optional(bool, false)
    checked            = optional(bool, false)
    open_writes        = optional(bool, false)
    cors = optional(object({
      allow_origins     = list(string)
      allow_methods     = optional(list(string), ["*"])
      allow_headers     = optional(list(string), [])
      expose_headers    = optional(list(string), [])
      allow_credentials = optional(bool, false)
      max_age           = optional(number, 0)
    }))
  })
  default = null

  validation {
    condition     = var.url == null ? true : contains(["AWS_IAM", "NONE"], var.url.authorization_type)
    error_message = "url: authorization_type must be AWS_IAM or NONE; NONE lets everybody in."
  }

  validation {
    condition     = var.url == null ? true : var.url.authorization_type != "NONE" || var.url.checked || var.url.open_writes || !var.production
    error_message = "url: authorization_type NONE would let everybody write, so production refuses it; say AWS_IAM, say checked = true if the function itself checks its callers, or say open_writes = true if that is meant."
  }

  validation {
    condition     = try(var.url.cors, null) == null ? true : length(setsubtract(var.url.cors.allow_methods, ["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"])) == 0 && length(var.url.cors.allow_methods) <= 6
    error_message = "url: cors takes six methods at most, of *, DELETE, GET, HEAD, PATCH, POST and PUT; Lambda answers OPTIONS itself, so leave that out."
  }

  validation {
    condition     = try(var.url.cors, null) == null ? true : alltrue([for list in [var.url.cors.allow_origins, var.url.cors.allow_headers, var.url.cors.expose_headers] : length(list) <= 100])
    error_message = "url: cors takes 100 origins, 100 headers and 100 exposed headers at most; leave some out, or say *."
  }

  validation {
    condition     = try(var.url.cors, null) == null ? true : alltrue([for origin in var.url.cors.allow_origins : 1 <= length(origin) && length(origin) <= 253])
    error_message = "url: an origin of cors has 1 to 253 characters, such as https://app.example.com."
  }

  validation {
    condition     = try(var.url.cors, null) == null ? true : alltrue([for header in concat(var.url.cors.allow_headers, var.url.cors.expose_headers) : length(header) <= 1024])
    error_message = "url: a header of cors has 1024 characters at most; shorten it."
  }

  validation {
    condition     = try(var.url.cors, null) == null ? true : 0 <= var.url.cors.max_age && var.url.cors.max_age <= 86400
    error_message = "url: max_age of cors must be from 0 to 86400 seconds, which are a day."
  }
}

variable "vpc_config" {
  description = "Subnets and security groups to attach to; null, which starts faster and is cheaper, attaches to none."
  type = object({
    subnet_ids         = set(string)
    security_group_ids = set(string)
  })
  default = null

  validation {
    condition     = var.vpc_config == null ? true : length(var.vpc_config.subnet_ids) > 0 && length(var.vpc_config.security_group_ids) > 0
    error_message = "vpc_config: name at least one subnet and one security group, or leave it out."
  }

  validation {
    condition     = var.vpc_config == null ? true : length(var.vpc_config.subnet_ids) <= 16 && length(var.vpc_config.security_group_ids) <= 5
    error_message = "vpc_config: Lambda takes 16 subnets and 5 security groups at most; leave some out."
  }

  validation {
    condition     = var.vpc_config == null ? true : alltrue(concat([for id in var.vpc_config.subnet_ids : can(regex("^subnet-[0-9a-z]*$", id))], [for id in var.vpc_config.security_group_ids : can(regex("^sg-[0-9a-zA-Z]*$", id))]))
    error_message = "vpc_config: name subnets and security groups by their ids, such as subnet-0a1b2c3d and sg-0a1b2c3d."
  }
}
