variable "attach_to" {
  description = "Names of existing roles that the managed policy is attached to, by a key that says what each role is."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = var.role == null || length(var.attach_to) == 0
    error_message = "attach_to: the policy is written into one role already; leave out role to make a policy that can be attached."
  }
}

variable "description" {
  description = "What the managed policy allows, in a sentence for whoever finds it in the account."
  type        = string
  default     = null
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
}

variable "tags" {
  description = "Tags of everything that is made here, beside the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false
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
