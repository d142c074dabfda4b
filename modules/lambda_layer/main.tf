# A version of the layer, made anew whenever its content is another.
locals {
  # Seen from the root of the project, where `make build` runs.
  package_path = replace(var.package.path, "/^(\\.\\.?/)+/", "")
}

# Asked by the validation of the runtime.
data "aws_region" "current" {}

resource "aws_lambda_layer_version" "this" {
  layer_name  = var.name
  description = var.description
  filename    = var.object == null ? var.package.path : null
  s3_bucket   = try(var.object.bucket, null)
  s3_key      = try(var.object.key, null)
  # Of the content, so that a zip which only was compressed otherwise is not a new version.
  source_code_hash         = var.package.content_sha256
  compatible_runtimes      = [var.runtime]
  compatible_architectures = [var.architecture]
  skip_destroy             = var.skip_destroy

  lifecycle {
    # Functions move to the new version before the old one goes.
    create_before_destroy = true

    precondition {
      condition     = fileexists(var.package.path)
      error_message = "package: ${local.package_path} does not exist; run \"make build\"."
    }

    precondition {
      condition     = try(filebase64sha256(var.package.path) == var.package.sha256, true)
      error_message = "package: ${local.package_path} is not the one that was measured; run \"make build\"."
    }
  }
}
