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
}

variable "secret_values" {
  description = "First values of the secrets, by full name; written to AWS and kept nowhere else."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
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
}

variable "tags" {
  description = "Tags of everything that is made here, beside the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
