variable "alarms" {
  description = "What the modules whose alarms are composed say in their output alarms: the names of alarms by what they say together, failing or throttled, for which one composite alarm each tells the topic."
  type = list(object({
    failing   = optional(list(string), [])
    throttled = optional(list(string), [])
  }))
  default  = []
  nullable = false
}

variable "alarms_unheard" {
  description = "Whether nobody is meant to hear the alarms of production, or hears them by a subscription made elsewhere; otherwise production without an e-mail address is refused."
  type        = bool
  default     = false
  nullable    = false
}

variable "apis" {
  description = "Names of the APIs on the dashboard."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "email" {
  description = "Address that alarms are sent to, once its owner has confirmed; null sends none."
  type        = string
  default     = null

  validation {
    condition     = var.email == null ? true : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.email))
    error_message = "email must be one address, such as team@example.com."
  }
}

variable "functions" {
  description = "Names of the functions on the dashboard."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "http_apis" {
  description = "Ids of the HTTP APIs on the dashboard, by name."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "Name of the dashboard, and the first part of the topic's."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,200}$", var.name))
    error_message = "name must be 1 to 200 letters, digits, underscores or hyphens."
  }
}

variable "production" {
  description = "Whether this is production, where alarms that nobody hears are refused; true unless it is said to be otherwise."
  type        = bool
  default     = true
  nullable    = false
}

variable "queues" {
  description = "Names of the queues on the dashboard, each with its dead-letter queue."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tables" {
  description = "Names of the tables on the dashboard."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.apis) + length(var.http_apis) + length(var.queues) + length(var.functions) + length(var.tables) <= 250
    error_message = "tables: a dashboard shows 500 graphs, two for each API, queue, function and table, and these are ${length(var.apis) + length(var.http_apis) + length(var.queues) + length(var.functions) + length(var.tables)} of them; leave some out, or make a second one."
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
