variable "app" {
  description = "App whose root is deployed, as its directory is called."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]*$", var.app))
    error_message = "app is the name of an app's directory: lower-case letters, digits and underscores, and a letter first."
  }
}

variable "boundary" {
  description = "Policy as JSON that bounds the roles of the root: what they are granted, all of them together."
  type        = string

  validation {
    condition     = try(length(jsonencode(jsondecode(var.boundary))) <= 6144, false)
    error_message = "boundary is a policy as JSON, of 6144 characters at most without spaces; \"sawhorse deployer make\" writes it."
  }
}

variable "environment" {
  description = "Environment that the root belongs to."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.environment)) && length("${var.app}-boundary-${var.environment}") <= 64
    error_message = "environment must be lower-case letters, digits and hyphens, and so short that the names made of app and environment have 64 characters at most."
  }
}

variable "path" {
  description = "Path of all that is made here, by which policies may name every deployer."
  type        = string
  default     = "/deployers/"
  nullable    = false

  validation {
    condition     = length(var.path) <= 512 && can(regex("^(/[A-Za-z0-9.,+@=_-]+)*/$", var.path))
    error_message = "path begins and ends with a slash, such as /deployers/, and has 512 characters at most."
  }
}

variable "policies" {
  description = "Policies of the deployer as JSON, by a key that says which part each is; \"sawhorse deployer show\" prints them."
  type        = map(string)
  nullable    = false

  validation {
    condition     = 1 <= length(var.policies) && length(var.policies) <= 10
    error_message = "policies: AWS attaches 1 to 10 managed policies to a role, and these are ${length(var.policies)}."
  }

  validation {
    condition     = alltrue([for policy in values(var.policies) : try(length(jsonencode(jsondecode(policy))) <= 6144, false)])
    error_message = "policies: each is a policy as JSON, of 6144 characters at most without spaces; \"sawhorse deployer make\" splits them."
  }

  # A policy is known by what it says, so a letter that IAM refuses is refused in a plan.
  validation {
    condition     = alltrue([for policy in concat([var.boundary], values(var.policies), values(try(var.reader.policies, {}))) : can(regex("^[\\x{20}-\\x{ff}]*$", policy))])
    error_message = "policies: IAM takes letters of Latin-1 alone; rename what is named with others."
  }

  validation {
    condition     = alltrue([for key in keys(var.policies) : can(regex("^[\\w+=,.@-]{1,32}$", key))])
    error_message = "policies: a key becomes the end of a name: 1 to 32 letters, digits or characters of +=,.@_-."
  }
}

variable "reader" {
  description = "Policies and principals of a role that only plans and looks for drift, such as for pull requests; null makes none."
  type = object({
    policies = map(string)
    trusted  = list(string)
  })
  default = null

  validation {
    condition     = var.reader == null ? true : 1 <= length(var.reader.policies) && length(var.reader.policies) <= 10
    error_message = "reader: AWS attaches 1 to 10 managed policies to a role."
  }

  validation {
    condition     = var.reader == null ? true : alltrue([for policy in values(var.reader.policies) : try(length(jsonencode(jsondecode(policy))) <= 6144, false)])
    error_message = "reader: each policy is one as JSON, of 6144 characters at most without spaces."
  }

  validation {
    condition     = var.reader == null ? true : alltrue([for key in keys(var.reader.policies) : can(regex("^[\\w+=,.@-]{1,32}$", key))])
    error_message = "reader: a key becomes the end of a name: 1 to 32 letters, digits or characters of +=,.@_-."
  }

  validation {
    condition     = var.reader == null ? true : length(var.reader.trusted) > 0 && alltrue([for arn in var.reader.trusted : can(regex("^arn:[^:*?]+:iam::[0-9]{12}:(root|(role|user)/[^*?]+)$", arn))])
    error_message = "reader: trusted names at least one role, user or account by its exact ARN."
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

variable "trusted" {
  description = "ARNs of who may take the role: the environment's role of a pipeline, or an account (arn:aws:iam::ACCOUNT:root), whose own policies then say who."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.trusted) > 0 && alltrue([for arn in var.trusted : can(regex("^arn:[^:*?]+:iam::[0-9]{12}:(root|(role|user)/[^*?]+)$", arn))])
    error_message = "trusted names at least one role, user or account by its exact ARN."
  }
}
