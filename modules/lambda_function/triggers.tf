# Everything that calls the function calls the alias.
resource "aws_lambda_permission" "trigger" {
  for_each = var.triggers

  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = each.value.principal
  source_arn    = each.value.source_arn
}

resource "aws_lambda_function_url" "live" {
  #checkov:skip=CKV_AWS_258:A public URL has to be asked for by name: AWS_IAM is the default.
  count = var.url == null ? 0 : 1

  function_name      = aws_lambda_function.this.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = var.url.auth
  invoke_mode        = var.url.streaming ? "RESPONSE_STREAM" : "BUFFERED"

  dynamic "cors" {
    for_each = var.url.cors[*]

    content {
      allow_credentials = cors.value.credentials
      allow_headers     = cors.value.headers
      allow_methods     = cors.value.methods
      allow_origins     = cors.value.origins
      expose_headers    = cors.value.exposed_headers
      max_age           = cors.value.max_age
    }
  }
}

resource "aws_lambda_permission" "url" {
  #checkov:skip=CKV_AWS_301:Made only for a URL that was asked to be public.
  count = try(var.url.auth, null) == "NONE" ? 1 : 0

  statement_id           = "public-url"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_function_event_invoke_config" "live" {
  count = var.async == null ? 0 : 1

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = var.async.retries
  maximum_event_age_in_seconds = var.async.max_age_seconds

  dynamic "destination_config" {
    for_each = var.async.on_failure == null && var.async.on_success == null ? [] : [var.async]

    content {
      dynamic "on_failure" {
        for_each = destination_config.value.on_failure[*]

        content {
          destination = on_failure.value.arn
        }
      }

      dynamic "on_success" {
        for_each = destination_config.value.on_success[*]

        content {
          destination = on_success.value.arn
        }
      }
    }
  }
}
