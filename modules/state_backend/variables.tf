variable "bucket" {
  description = "Name of the bucket, which no other bucket of any account has."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket)) && !can(regex("[.][.]|^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|[.]mrap$|--x-s3$|--table-s3$|-an$|^([0-9]+[.]){3}[0-9]+$", var.bucket))
    error_message = "bucket must be the name of a bucket as S3 takes it: 3 to 63 lower-case letters, digits, hyphens and dots, none of S3's own beginnings (xn--, sthree-, amzn-s3-demo-) and endings, and no address."
  }
}

variable "noncurrent_days" {
  description = "Days after which a version that was written over or deleted goes, but for the last ten of each object; null keeps all of them."
  type        = number
  default     = 365

  validation {
    condition     = var.noncurrent_days == null ? true : 1 <= var.noncurrent_days && var.noncurrent_days % 1 == 0
    error_message = "noncurrent_days must be a whole number of at least 1, or null."
  }
}

variable "tags" {
  description = "Tags of the bucket, beside the provider's default_tags."
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
