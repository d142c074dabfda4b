# What was written over goes in time, except for the last versions of everything.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = { for days in var.noncurrent_days[*] : "noncurrent" => days }

  bucket = aws_s3_bucket.this.id

  rule {
    id     = "noncurrent"
    status = "Enabled"

    # Of every object.
    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = each.value
      newer_noncurrent_versions = 10
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Which versions there are, S3 knows once it keeps them.
  depends_on = [aws_s3_bucket_versioning.this]
}
