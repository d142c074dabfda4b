variable "architecture" {
  description = "Architecture that the layer's native libraries are for: x86_64 or arm64."
  type        = string

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "description" {
  description = "What the layer holds, in one sentence."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the layer, whose versions count up."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, underscores or hyphens."
  }
}

variable "package" {
  description = "The zip as the manifest describes it, with Python's modules under python/, its path seen from the root."
  type = object({
    path           = string
    sha256         = string
    content_sha256 = string
  })
}

variable "runtime" {
  description = "Runtime that the layer is for, such as python3.13."
  type        = string
}

variable "skip_destroy" {
  description = "Whether versions stay in AWS when a newer one takes their place or the layer is destroyed, so that those who go back find them."
  type        = bool
  default     = true
  nullable    = false
}
