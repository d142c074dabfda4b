# The function, its role, its log group and the alias `live`, which is the only thing that anybody calls.
locals {
  # Seen from the root of the project, where `make build` runs.
  package_path = var.package == null ? null : replace(var.package.path, "/^(\\.\\.?/)+/", "")
  architecture = var.package == null ? var.image.architecture : var.package.architecture

  # A version keeps it: it says which content that is, and changes with nothing else.
  described = join(" ", compact([var.description, try("content_sha256=${var.package.content_sha256}", null)]))
}

# Each by itself, so that a value which only AWS knows hides no other one.
module "environment" {
  source   = "../plain_value"
  for_each = var.environment

  plain = {
    name = each.key
    # Terraform shows what a refusal looked at, unless it is sensitive.
    value   = sensitive(each.value)
    place   = "environment"
    instead = "keep it among the secrets of the module ssm_parameters, hand the function its name as ${each.key}_PARAMETER and the grant to read it, and let the function read it."
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:A reserved concurrency takes from the account's pool, so it is the root's decision.
  #checkov:skip=CKV_AWS_116:A dead-letter queue is for asynchronous calls; on_failure is the newer way and the caller's choice.
  #checkov:skip=CKV_AWS_117:No VPC unless one is given: a function that needs none starts faster and has no network to guard.
  #checkov:skip=CKV_AWS_173:Lambda encrypts the environment with a key of its own; secrets have no place there at all.
  #checkov:skip=CKV_AWS_272:Code signing proves who signed; what runs is what the build measured.
  #checkov:skip=CKV_AWS_50:Tracing is the root's decision.
  function_name = var.name
  description   = local.described
  role          = aws_iam_role.this.arn
  package_type  = var.package == null ? "Image" : "Zip"
  filename      = var.object == null ? try(var.package.path, null) : null
  s3_bucket     = try(var.object.bucket, null)
  s3_key        = try(var.object.key, null)
  # Of the content, so that a zip which only was compressed otherwise is not new code. AWS's own hash is in code_sha256.
  source_code_hash               = try(var.package.content_sha256, null)
  handler                        = try(var.package.handler, null)
  runtime                        = try(var.package.runtime, null)
  image_uri                      = try(var.image.uri, null)
  architectures                  = [local.architecture]
  layers                         = var.layers
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = coalesce(var.reserved_concurrent_executions, -1)
  publish                        = true
  tags                           = var.tags

  dynamic "environment" {
    for_each = length(var.environment) == 0 ? [] : [var.environment]

    content {
      variables = environment.value
    }
  }

  ephemeral_storage {
    size = var.ephemeral_storage_size
  }

  dynamic "image_config" {
    for_each = try(var.image.command, null) == null && try(var.image.entry_point, null) == null ? [] : [var.image]

    content {
      command     = image_config.value.command
      entry_point = image_config.value.entry_point
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
    # Python says WARNING where Lambda says WARN.
    application_log_level = var.logs.application_log_level == "WARNING" ? "WARN" : var.logs.application_log_level
    system_log_level      = var.logs.system_log_level
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.vpc_config[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = var.package == null ? true : fileexists(var.package.path)
      error_message = "${coalesce(local.package_path, "The package")} does not exist; run \"make build\"."
    }

    precondition {
      condition     = try(filebase64sha256(var.package.path) == var.package.sha256, true)
      error_message = "${coalesce(local.package_path, "The package")} is not the one that was measured; run \"make build\"."
    }
  }

  # Without its permissions a function that is called at once fails once.
  depends_on = [module.policy]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts with a key of its own unless logs.kms_key_id names another.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the root's decision, as is what it costs.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.logs.retention_in_days
  kms_key_id        = var.logs.kms_key_id
  tags              = var.tags
}
