# A bucket that states, or packages, of an environment lie in: whoever has its name and no right to it gets nothing.
data "aws_partition" "current" {}

locals {
  # Of names, so that a plan shows the whole policy.
  arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Who read a state is told by CloudTrail's data events, which belong to the account and cost by the call.
  #checkov:skip=CKV_AWS_144:A second region is a decision of the account, and costs the bucket twice.
  #checkov:skip=CKV_AWS_145:S3's own key, with which every writer may encrypt; a key of KMS is one more thing to lose a state with.
  #checkov:skip=CKV2_AWS_62:Nobody is to be told of every lock.
  bucket = var.bucket
  tags   = var.tags

  lifecycle {
    # It holds what Terraform knows of everything else.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RefuseWhatIsNotEncryptedOnTheWay"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arn, "${local.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses to change both at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
