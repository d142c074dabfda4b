variable "parameters" {
  description = "Plain parameters whose value Terraform owns, by full name."
  type = map(object({
    value       = string
    description = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.parameters) : can(regex("^/[a-zA-Z0-9_./-]+$", name))])
    error_message = "parameters: a name starts with a slash and has only letters, digits and _ . / -."
  }

  validation {
    condition     = alltrue([for parameter in values(var.parameters) : length(parameter.description) <= 1024])
    error_message = "parameters: a description has 1024 characters at most; shorten it."
  }

  validation {
    condition     = alltrue([for parameter in values(var.parameters) : parameter.value != "" && length(base64encode(parameter.value)) / 4 * 3 - length(regexall("=", base64encode(parameter.value))) <= 4096])
    error_message = "parameters: Systems Manager takes 1 to 4096 bytes as a value; put what is longer into a bucket or a table, and its name here."
  }

  validation {
    condition     = alltrue([for parameter in values(var.parameters) : !can(regex("(?s)\\{\\{.*\\}\\}", parameter.value))])
    error_message = "parameters: Systems Manager takes no value with another one in double braces; write single ones."
  }
}

variable "secret_values" {
  description = "First values of the secrets, by full name; written to AWS and kept nowhere else."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = alltrue([for value in values(var.secret_values) : value != "" && length(base64encode(value)) / 4 * 3 - length(regexall("=", base64encode(value))) <= 4096])
    error_message = "secret_values: Systems Manager takes 1 to 4096 bytes as a value; keep what is longer in Secrets Manager."
  }

  validation {
    condition     = alltrue([for value in values(var.secret_values) : !can(regex("(?s)\\{\\{.*\\}\\}", value))])
    error_message = "secret_values: Systems Manager takes no value with another one in double braces; write single ones."
  }
}

variable "secrets" {
  description = "Encrypted parameters by full name, whose value operators own: made with the value in secret_values, or \"unset\", and written again only when the version is raised."
  type = map(object({
    description      = string
    key_id           = optional(string)
    value_wo_version = optional(number, 1)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^/[a-zA-Z0-9_./-]+$", name))])
    error_message = "secrets: a name starts with a slash and has only letters, digits and _ . / -."
  }

  validation {
    condition     = alltrue([for parameter in values(var.secrets) : length(parameter.description) <= 1024])
    error_message = "secrets: a description has 1024 characters at most; shorten it."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : secret.key_id == null ? true : can(regex("^[a-zA-Z0-9:/_-]{1,256}$", secret.key_id))])
    error_message = "secrets: key_id is the ARN of a KMS key, of 256 characters at most."
  }
}

variable "switches" {
  description = "Plain parameters by full name, whose value operators own: made with an initial value and never set back."
  type = map(object({
    initial     = string
    description = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.switches) : can(regex("^/[a-zA-Z0-9_./-]+$", name))])
    error_message = "switches: a name starts with a slash and has only letters, digits and _ . / -."
  }

  validation {
    condition     = length(setintersection(keys(var.switches), concat(keys(var.parameters), keys(var.secrets)))) == 0 && length(setintersection(keys(var.parameters), keys(var.secrets))) == 0
    error_message = "switches: a name stands in one of parameters, switches and secrets, never in two."
  }

  validation {
    condition     = alltrue([for parameter in values(var.switches) : length(parameter.description) <= 1024])
    error_message = "switches: a description has 1024 characters at most; shorten it."
  }

  validation {
    condition     = alltrue([for parameter in values(var.switches) : parameter.initial != "" && length(base64encode(parameter.initial)) / 4 * 3 - length(regexall("=", base64encode(parameter.initial))) <= 4096])
    error_message = "switches: Systems Manager takes 1 to 4096 bytes as a value; put what is longer into a bucket or a table, and its name here."
  }

  validation {
    condition     = alltrue([for parameter in values(var.switches) : !can(regex("(?s)\\{\\{.*\\}\\}", parameter.initial))])
    error_message = "switches: Systems Manager takes no value with another one in double braces; write single ones."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.parameters), keys(var.switches), keys(var.secrets)) : !can(regex("//|/$", name))])
    error_message = "A name of parameters, switches and secrets has something between its slashes and behind the last of them, such as /shop/colour."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.parameters), keys(var.switches), keys(var.secrets)) : length(split("/", name)) <= 16])
    error_message = "A name of parameters, switches and secrets has 15 levels at most; shorten its path."
  }

  validation {
    condition     = alltrue([for name in concat(keys(var.parameters), keys(var.switches), keys(var.secrets)) : !can(regex("^/(?i:aws|ssm)", name))])
    error_message = "A name of parameters, switches and secrets must not begin with aws or ssm, which Systems Manager keeps for itself; put another word first."
  }

  validation {
    condition = alltrue([
      for name in concat(keys(var.parameters), keys(var.switches), keys(var.secrets)) :
      length("arn:${data.aws_partition.current.partition}:ssm:${local.region}:${data.aws_caller_identity.current.account_id}:parameter${name}") <= 1011
    ])
    error_message = "A name of parameters, switches and secrets has 1011 characters at most, those of its ARN among them; shorten it."
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
