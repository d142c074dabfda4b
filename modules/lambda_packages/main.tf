# Zips that Lambda reads from a bucket: each is uploaded once, whichever functions run from it.
locals {
  archives = distinct(concat(
    [for package in values(var.packages) : {
      path           = package.path
      sha256         = package.sha256
      content_sha256 = package.content_sha256
      upload         = package.upload
    }],
    [for package in values(var.packages) : {
      path           = package.layer.path
      sha256         = package.layer.sha256
      content_sha256 = package.layer.content_sha256
      upload         = package.layer.upload
    } if package.layer != null],
  ))

  # By what the build calls it, so that new content takes the place of the old one.
  uploaded = { for archive in local.archives : trimsuffix(basename(archive.path), ".zip") => archive if archive.upload == "s3" }

  # Seen from the root of the project, where `make build` runs.
  shown = { for name, archive in local.uploaded : name => replace(archive.path, "/^(\\.\\.?/)+/", "") }
}

data "aws_caller_identity" "current" {}

resource "aws_s3_object" "this" {
  #checkov:skip=CKV_AWS_186:The bucket says how it encrypts, and S3 does so by itself where it says nothing.
  for_each = local.uploaded

  bucket = var.bucket
  # Of the content: the same content stays where it is, however it was compressed. Accounts may share a bucket.
  key          = "${data.aws_caller_identity.current.account_id}/${var.name}/${each.key}/${replace(replace(trim(each.value.content_sha256, "="), "+", "-"), "/", "_")}.zip"
  source       = each.value.path
  content_type = "application/zip"
  tags         = var.tags

  override_provider {
    default_tags {
      # An object has ten tags at most, which an environment may have more of; its key says whose it is.
      tags = {}
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(each.value.path)
      error_message = "${local.shown[each.key]} does not exist; run \"make build\"."
    }

    precondition {
      condition     = try(filebase64sha256(each.value.path) == each.value.sha256, true)
      error_message = "${local.shown[each.key]} is not the one that was measured; run \"make build\"."
    }
  }
}
