variable "attach_to" {
  description = "Names of existing roles that the managed policy is attached to, by a key that says what each role is."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = var.role == null || length(var.attach_to) == 0
    error_message = "attach_to: the policy is written into one role already; leave out role to make a policy that can be attached."
  }

  validation {
    condition     = alltrue([for name in values(var.attach_to) : can(regex("^[\\w+=,.@-]{1,64}$", name))])
    error_message = "attach_to: name each role by its name, 1 to 64 letters, digits or characters of +=,.@_- as IAM has it, without its path and its ARN."
  }
}

variable "description" {
  description = "What the managed policy allows, in a sentence for whoever finds it in the account."
  type        = string
  default     = null

  validation {
    condition     = var.description == null ? true : length(var.description) <= 1000
    error_message = "description has 1000 characters at most, and this one has ${length(coalesce(var.description, "-"))}; shorten it."
  }
}

variable "grants" {
  description = "Permissions as the modules hand them out: actions on exact ARNs, and what is needed of the key that encrypts them."
  type = list(object({
    actions   = list(string)
    resources = list(string)
    key       = optional(object({ arn = string, actions = list(string) }))
  }))
  nullable = false

  validation {
    condition     = length(var.grants) > 0
    error_message = "grants: a policy needs at least one grant; leave the policy out instead."
  }

  validation {
    condition     = alltrue([for grant in var.grants : length(grant.actions) > 0 && length(grant.resources) > 0])
    error_message = "grants: every grant needs at least one action and one resource."
  }

  validation {
    condition = alltrue([
      for action in flatten([for grant in var.grants : [grant.actions, try(grant.key.actions, [])]]) : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))
    ])
    error_message = "grants: name every action in full, such as dynamodb:GetItem; a wildcard grants what nobody decided."
  }

  # Lambda makes up the names of log streams, so those, and only those, end in a wildcard.
  validation {
    condition = alltrue([
      for arn in flatten([for grant in var.grants : [grant.resources, try([grant.key.arn], [])]]) :
      !can(regex("[*?]", arn)) || can(regex("^arn:[^:*?]+:logs:[^:*?]+:[0-9]{12}:log-group:[^:*?]+:log-stream:\\*$", arn))
    ])
    error_message = "grants: name every resource by its exact ARN; only the streams of one log group may end in a wildcard (...:log-group:NAME:log-stream:*)."
  }

  validation {
    condition = alltrue([
      for arn in flatten([for grant in var.grants : [grant.resources, try([grant.key.arn], [])]]) : can(regex("^[\\x{20}-\\x{ff}]*$", arn))
    ])
    error_message = "grants: IAM takes letters of Latin-1 alone in an ARN; rename the resource."
  }
}

variable "name" {
  description = "Name of the policy."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@-]{1,128}$", var.name))
    error_message = "name must be 1 to 128 letters, digits or characters of +=,.@_- as IAM has it."
  }
}

variable "role" {
  description = "Name of the role that the policy is written into; null makes a managed policy."
  type        = string
  default     = null

  validation {
    condition     = var.role == null ? true : can(regex("^[\\w+=,.@-]{1,64}$", var.role))
    error_message = "role is the name of a role, 1 to 64 letters, digits or characters of +=,.@_- as IAM has it, without its path and its ARN."
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

variable "unscoped_actions" {
  description = "Actions that AWS cannot tie to a resource, so that they stand beside a bare wildcard; only those that this module knows."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = length(setsubtract(var.unscoped_actions, [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ])) == 0
    error_message = "unscoped_actions: only tracing (xray:Put...) and a function's network interfaces (ec2:...) are known to need this; put everything else into grants with its ARN."
  }
}
