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
}

variable "tags" {
  description = "Tags of everything that is made here, beside the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
