# Written by `sawhorse sync`: all that is the same in every root but for whose it is. What this root decides stands in
# main.tf, what it tells in outputs.tf; variables of its own go into a file of its own.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region              = var.environment.region
  allowed_account_ids = [var.environment.account_id]

  default_tags {
    tags = merge(var.environment.tags, {
      environment = "production"
      app         = "triggers_api"
    })
  }
}

# Rendered into terraform.tfvars: what is true of the whole environment, and what the build measured.

variable "environment" {
  description = "Facts of the environment: its name, account, region, alarm address, whether its alarms are meant to be unheard, tags, the bucket that packages go through, what bounds the roles of its functions, whose tokens its APIs take, whether it is production, whether it is the local AWS, which starts no program of a layer, and the app that all this was rendered for."
  type = object({
    name                 = string
    app                  = string
    account_id           = string
    region               = string
    alarm_email          = optional(string)
    alarms_unheard       = optional(bool, false)
    packages_bucket      = optional(string)
    permissions_boundary = optional(string)
    tags                 = optional(map(string), {})
    jwt                  = optional(object({ issuer = string, audience = list(string) }))
    local                = optional(bool, false)
    production           = bool
  })

  validation {
    condition     = var.environment.name == "production" && var.environment.app == "triggers_api"
    error_message = "These variables are those of ${var.environment.name}/${var.environment.app}, and this root is another one; run \"sawhorse render\", or \"sawhorse local env\" with this root's name."
  }
}

variable "packages" {
  description = "What the build measured of each function's package, and of the layer with its dependencies where the app has one, the paths seen from this directory."
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
}

variable "cors_origins" {
  description = "Origins whose pages may call the API; null means what main.tf decided."
  type        = list(string)
  default     = null
}

variable "dynamodb_billing_mode" {
  description = "PAY_PER_REQUEST or PROVISIONED, switched in place on every table; null means what main.tf decided."
  type        = string
  default     = null
}

variable "dynamodb_read_capacity" {
  description = "Read units of every provisioned table and index, the least of them when they scale by themselves; null means what main.tf decided."
  type        = number
  default     = null
}

variable "dynamodb_write_capacity" {
  description = "Write units of every provisioned table and index, the least of them when they scale by themselves; null means what main.tf decided."
  type        = number
  default     = null
}

variable "lambda_reserved_concurrency" {
  description = "Most calls at once of every function, 0 stops them; null means what main.tf decided."
  type        = number
  default     = null
}
