variable "alarm_email" {
  description = "Address that alarms are sent to; null sends none, which production refuses."
  type        = string
  default     = null
}

variable "cors_origins" {
  description = "Origins whose pages may call the API."
  type        = list(string)
  default     = ["https://shop.example.com"]
  nullable    = false
}

variable "image" {
  description = "Image of both functions, by its digest."
  type        = string
  default     = "111111111111.dkr.ecr.us-east-1.amazonaws.com/orders@sha256:9b2cf0a5d8a1e4c37f6b1d20e8c5a4937f1e0d2c6b8a59473e1f0c2d4b6a8e90"
  nullable    = false
}

variable "jwt" {
  description = "Whose tokens are let in."
  type = object({
    issuer   = string
    audience = list(string)
  })
  default  = { issuer = "https://example.eu.auth0.com/", audience = ["https://orders.example.com"] }
  nullable = false
}

variable "production" {
  description = "Whether this is production, where tables are protected."
  type        = bool
  default     = false
  nullable    = false
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "stage" {
  description = "What stands for the environment in every name."
  type        = string
  default     = "dev"
  nullable    = false
}
