variable "bucket" {
  description = "Bucket that packages are uploaded to, in the functions' region; null when none goes through S3."
  type        = string
  default     = null

  validation {
    condition     = var.bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots."
  }

  validation {
    condition = var.bucket != null || alltrue([
      for archive in concat(values(var.packages), [for package in values(var.packages) : package.layer if package.layer != null]) : archive.upload != "s3"
    ])
    error_message = "bucket: ${join(" and ", distinct([
      for archive in concat(values(var.packages), [for package in values(var.packages) : package.layer if package.layer != null]) :
      "${replace(archive.path, "/^(\\.\\.?/)+/", "")} (${archive.size} bytes)" if archive.upload == "s3"
    ]))} goes to Lambda through S3, and no bucket is named; write packages_bucket: NAME into environment.yaml, with a bucket in the functions' region, and run \"sawhorse render\"."
  }
}

variable "name" {
  description = "Name of the app in its environment, which keeps its objects apart from those of others in the bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, underscores or hyphens."
  }
}

variable "packages" {
  description = "What the build measured, by function, each with how it gets to Lambda: upload is direct, in the call, or s3."
  type = map(object({
    path           = string
    sha256         = string
    content_sha256 = string
    size           = number
    upload         = optional(string, "direct")
    layer = optional(object({
      path           = string
      sha256         = string
      content_sha256 = string
      size           = number
      upload         = optional(string, "direct")
    }))
  }))

  validation {
    condition = alltrue([
      for package in values(var.packages) : contains(["direct", "s3"], package.upload) && contains(["direct", "s3"], try(package.layer.upload, "direct"))
    ])
    error_message = "packages: upload must be direct or s3; run \"make build\"."
  }
}

variable "tags" {
  description = "Tags of everything that is made here, ten at most, which is what S3 takes; the provider's default_tags are left out."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 10
    error_message = "tags: an object in S3 has ten tags at most, and these are ${length(var.tags)}; leave some out."
  }

  validation {
    condition = length(var.tags) <= 10 && alltrue([
      for name, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", name)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !can(regex("^(?i:aws):", name))
    ])
    error_message = "tags: S3 takes 10 of an object, with names of 1 to 128 and values of at most 256 letters, digits, spaces and _ . : / = + - @, and keeps names that begin with aws: for itself."
  }
}
