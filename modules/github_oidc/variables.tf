locals {
  # Exact ones: what a wildcard stands for, nobody decided.
  arn_of_a_role   = "^arn:[^:*?]+:iam::[0-9]{12}:role/[!-)+->@-~]{1,128}$"
  arn_of_a_policy = "^arn:[^:*?]+:iam::([0-9]{12}|aws):policy/[!-)+->@-~]{1,640}$"
}

variable "audience" {
  description = "Whom GitHub's tokens are for, which a workflow asks for by this name."
  type        = string
  default     = "sts.amazonaws.com"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._:/@-]{1,255}$", var.audience))
    error_message = "audience: name one audience in full, 1 to 255 letters, digits and characters of ._:/@-, such as sts.amazonaws.com; a wildcard would take tokens that are meant for others."
  }
}

variable "environments" {
  description = "What the jobs of each environment of the repository take, by the name that it has on GitHub: the ARNs of the deployers of its roots, and of readers where they only look."
  type = map(object({
    deployers = optional(set(string), [])
    readers   = optional(set(string), [])
  }))
  nullable = false

  validation {
    condition     = length(var.environments) > 0
    error_message = "environments: name at least one environment of the repository, with the deployers of its roots."
  }

  # GitHub takes 255 characters, and the colon only as %3A in a subject; a role's name takes these.
  validation {
    condition     = alltrue([for name in keys(var.environments) : can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", name))])
    error_message = "environments: name each environment in full, with letters, digits and _.- alone and none of these in front, since the name is part of a role's name as well; a wildcard would let every environment in."
  }

  validation {
    condition     = length(distinct([for name in keys(var.environments) : lower(name)])) == length(var.environments)
    error_message = "environments: two of the names differ in their case alone, and GitHub and IAM take them for one."
  }

  validation {
    condition     = !contains([for name in keys(var.environments) : lower(name)], "pull-requests")
    error_message = "environments: pull-requests is the name of the role of pull requests; rename the environment."
  }

  validation {
    condition     = alltrue([for environment in values(var.environments) : 1 <= length(setunion(environment.deployers, environment.readers)) && length(setunion(environment.deployers, environment.readers)) <= 60])
    error_message = "environments: each environment needs 1 to 60 deployers, one for each of its roots, or readers; more do not fit into the policy of one role."
  }

  validation {
    condition = alltrue(flatten([
      for environment in values(var.environments) : [for arn in setunion(environment.deployers, environment.readers) : can(regex(local.arn_of_a_role, arn))]
    ]))
    error_message = "environments: name each deployer and reader by the exact ARN of its role, of at most 128 characters behind role/ and without a wildcard."
  }

  validation {
    condition = length(setintersection(
      flatten([for environment in values(var.environments) : tolist(environment.readers)]),
      flatten([for environment in values(var.environments) : tolist(environment.deployers)]),
    )) == 0
    error_message = "environments: a deployer is no reader; whoever only looks would deploy with it."
  }

  validation {
    condition     = length(distinct(flatten([for environment in values(var.environments) : tolist(environment.deployers)]))) == length(flatten([for environment in values(var.environments) : tolist(environment.deployers)]))
    error_message = "environments: a deployer belongs to one environment alone; two of them name the same one."
  }
}

variable "max_session_duration" {
  description = "Seconds that a session of these roles lasts at most; the session of a deployer that it takes lasts an hour at most."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = 3600 <= var.max_session_duration && var.max_session_duration <= 43200 && var.max_session_duration % 1 == 0
    error_message = "max_session_duration must be a whole number from 3600 to 43200 seconds."
  }
}

variable "name_prefix" {
  description = "Beginning of the roles' names, which end in the environment's name or in pull-requests."
  type        = string
  default     = "github-"
  nullable    = false

  validation {
    condition     = can(regex("^[\\w+=,.@-]*$", var.name_prefix)) && alltrue([for name in concat(keys(var.environments), ["pull-requests"]) : length("${var.name_prefix}${name}") <= 64])
    error_message = "name_prefix: with the name of each environment, and with pull-requests, it is the name of a role, which has 64 letters, digits or characters of +=,.@_- at most."
  }
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds the roles of the environments."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex(local.arn_of_a_policy, var.permissions_boundary))
    error_message = "permissions_boundary is the exact ARN of a managed policy."
  }
}

variable "provider_arn" {
  description = "ARN of GitHub's identity provider where the account has it already; null makes it."
  type        = string
  default     = null

  validation {
    condition     = var.provider_arn == null ? true : can(regex("^arn:[^:*?]+:iam::[0-9]{12}:oidc-provider/token[.]actions[.]githubusercontent[.]com$", var.provider_arn))
    error_message = "provider_arn is the ARN of the account's provider of token.actions.githubusercontent.com, such as arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com."
  }
}

variable "pull_requests" {
  description = "What pull requests of the repository itself may read: roles that they take, managed policies by a key that says what each is for, and a boundary; null gives them no role. Those of forks get no token from GitHub."
  type = object({
    readers              = optional(set(string), [])
    policies             = optional(map(string), {})
    permissions_boundary = optional(string)
  })
  default = null

  validation {
    condition     = var.pull_requests == null ? true : length(var.pull_requests.readers) + length(var.pull_requests.policies) > 0
    error_message = "pull_requests: a role that may do nothing is of no use; name readers or policies, or leave pull_requests out."
  }

  validation {
    condition = var.pull_requests == null ? true : length(var.pull_requests.readers) <= 60 && alltrue([
      for arn in var.pull_requests.readers : can(regex(local.arn_of_a_role, arn))
    ])
    error_message = "pull_requests: name each of at most 60 readers by the exact ARN of its role, without a wildcard."
  }

  validation {
    condition     = var.pull_requests == null ? true : length(setintersection(var.pull_requests.readers, flatten([for environment in values(var.environments) : tolist(environment.deployers)]))) == 0
    error_message = "pull_requests: a deployer is no reader; whoever opens a pull request would deploy with it."
  }

  validation {
    condition = var.pull_requests == null ? true : length(var.pull_requests.policies) <= 10 && alltrue([
      for arn in values(var.pull_requests.policies) : can(regex(local.arn_of_a_policy, arn)) && !can(regex("/(AdministratorAccess|PowerUserAccess|IAMFullAccess)", arn))
    ])
    error_message = "pull_requests: name each of at most 10 policies by the exact ARN of a managed policy, and none that changes everything, such as AdministratorAccess."
  }

  validation {
    condition     = try(var.pull_requests.permissions_boundary, null) == null ? true : can(regex(local.arn_of_a_policy, var.pull_requests.permissions_boundary))
    error_message = "pull_requests: permissions_boundary is the exact ARN of a managed policy."
  }
}

variable "repository" {
  description = "Repository whose workflows get the roles, OWNER/NAME as GitHub writes it, capital letters included."
  type        = string

  validation {
    condition     = length(split("/", var.repository)) == 2
    error_message = "repository is OWNER/NAME, such as acme/shop: not a URL, and not the name alone."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9](-?[A-Za-z0-9])*(_[A-Za-z0-9]+)?/", var.repository)) && length(split("/", var.repository)[0]) <= 39
    error_message = "repository: the owner has 1 to 39 letters, digits and single hyphens, none of these in front or behind, as GitHub has it; a wildcard would let other owners in."
  }

  validation {
    condition     = can(regex("/[A-Za-z0-9._-]{1,100}$", var.repository)) && !can(regex("/[.][.]?$|(?i:[.]git)$", var.repository))
    error_message = "repository: the name has 1 to 100 letters, digits and characters of ._- and no .git behind, as GitHub has it; a wildcard would let other repositories in."
  }
}

variable "repository_ids" {
  description = "Numbers of the owner and the repository, which the subjects of repositories have that were made, renamed or moved after 15 July 2026; null for those without."
  type        = object({ owner = string, repository = string })
  default     = null

  validation {
    condition     = var.repository_ids == null ? true : alltrue([for id in values(var.repository_ids) : can(regex("^[1-9][0-9]{0,19}$", id))])
    error_message = "repository_ids: both are whole numbers; gh api repos/OWNER/NAME --jq '.owner.id, .id' prints them."
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
