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

  validation {
    condition     = var.description == null ? true : length(var.description) <= 256
    error_message = "description has 256 characters at most, and this one has ${length(coalesce(var.description, "-"))}; shorten it."
  }
}

variable "name" {
  description = "Name of the layer, whose versions count up."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, underscores or hyphens."
  }
}

variable "object" {
  description = "Where the package lies in S3, as the module lambda_packages says; null hands it over in the call, which takes 50 MB."
  type = object({
    bucket = string
    key    = string
  })
  default = null

  validation {
    condition     = var.object == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.object.bucket)) && 1 <= length(var.object.key) && length(var.object.key) <= 1024
    error_message = "object: a bucket is named by 3 to 63 lower-case letters, digits, hyphens and dots, and a key has 1 to 1024 characters; pass what the module lambda_packages says."
  }
}

variable "package" {
  description = "The zip as the manifest describes it, with Python's modules under python/, its path seen from the root."
  type = object({
    path           = string
    sha256         = string
    content_sha256 = string
    size           = optional(number, 0)
    upload         = optional(string, "direct")
  })

  validation {
    condition     = var.object != null || var.package.upload == "direct"
    error_message = "package: ${replace(var.package.path, "/^(\\.\\.?/)+/", "")} is to go through S3 (upload is s3); upload it with the module lambda_packages, and give the object that it says."
  }

  validation {
    condition     = var.object != null || var.package.size <= 52428800
    error_message = "package: ${replace(var.package.path, "/^(\\.\\.?/)+/", "")} has ${var.package.size} bytes, and Lambda takes 52428800 in a call; upload it with the module lambda_packages, and give the object that it says."
  }
}

variable "runtime" {
  description = "Runtime that the layer is for, such as python3.13."
  type        = string

  validation {
    # The release that runs cannot be asked: 6 gives a data source of a region its region, and 5.100 does not.
    condition     = var.runtime != "python3.14" || lookup(data.aws_region.current, "region", null) != null
    error_message = "runtime: provider 5 refuses python3.14; take AWS provider 6.21 or newer, or python3.13."
  }
}

variable "skip_destroy" {
  description = "Whether versions stay in AWS when a newer one takes their place or the layer is destroyed, so that those who go back find them."
  type        = bool
  default     = true
  nullable    = false
}
