# Everything that calls the function calls the alias.
locals {
  is_service = { for name, trigger in var.triggers : name => can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)*\\.amazonaws\\.com(\\.cn)?$", trigger.principal)) }

  # The fifth part of an ARN; a bucket's has none.
  source_accounts = { for name, trigger in var.triggers : name => try(split(":", trigger.source_arn)[4], "") }

  # Whose thing may call: this account's, unless another one is named.
  callers = { for name, trigger in var.triggers : name => coalesce(trigger.source_account, data.aws_caller_identity.current.account_id) }
}

resource "aws_lambda_permission" "trigger" {
  for_each = var.triggers

  statement_id  = each.key
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = each.value.principal
  source_arn    = each.value.source_arn
  # Where the ARN names no account, somebody else may have a bucket of that name tomorrow. Where it does, it says enough, and some
  # services do not tell Lambda the account by itself, so that it would turn their calls away (EventBridge:
  # https://github.com/awsdocs/aws-cloudformation-user-guide/pull/481). An API's ARN has the account, and is known in the apply.
  source_account = (
    !local.is_service[each.key] ? null :
    each.value.source_account != null ? each.value.source_account :
    each.value.principal == "apigateway.amazonaws.com" ? null :
    local.source_accounts[each.key] != "" ? null : local.callers[each.key]
  )

  lifecycle {
    precondition {
      condition     = local.is_service[each.key] || can(regex("^([0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9+=,.@_/-]+))$", each.value.principal))
      error_message = "triggers: the principal of ${each.key} is \"${each.value.principal}\", which is neither a service nor one account; write a service such as s3.amazonaws.com, the number of an account, or the ARN of a role or user without wildcards."
    }

    precondition {
      condition     = !local.is_service[each.key] || each.value.source_arn != null
      error_message = "triggers: ${each.key} names a service and not what calls through it, so that anybody's ${each.value.principal} could; write source_arn, the ARN of the bucket, rule, topic or API."
    }

    precondition {
      condition     = local.is_service[each.key] || (each.value.source_arn == null && each.value.source_account == null)
      error_message = "triggers: ${each.key} names an account, whose calls have no source; leave source_arn and source_account out."
    }

    precondition {
      condition     = !local.is_service[each.key] || each.value.source_arn == null ? true : can(regex("^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[^:*?][^?]*$", each.value.source_arn))
      error_message = "triggers: the source_arn of ${each.key} does not name one thing; write its whole ARN, such as arn:aws:s3:::NAME or arn:aws:events:REGION:ACCOUNT:rule/NAME, with no wildcard for the account or the name."
    }

    precondition {
      condition     = !local.is_service[each.key] || contains(["", local.callers[each.key]], local.source_accounts[each.key])
      error_message = "triggers: the source_arn of ${each.key} is in the account ${local.source_accounts[each.key]}, and ${each.value.source_account == null ? "this is" : "source_account says"} ${local.callers[each.key]}; write source_account = \"${local.source_accounts[each.key]}\" if something of that account shall call."
    }

    precondition {
      condition     = each.value.source_account == null ? true : can(regex("^[0-9]{12}$", each.value.source_account))
      error_message = "triggers: the source_account of ${each.key} must be the twelve digits of an account."
    }
  }
}

resource "aws_lambda_function_url" "live" {
  #checkov:skip=CKV_AWS_258:A public URL has to be asked for by name: AWS_IAM is the default.
  count = var.url == null ? 0 : 1

  function_name      = aws_lambda_function.this.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = var.url.authorization_type
  invoke_mode        = var.url.streaming ? "RESPONSE_STREAM" : "BUFFERED"

  dynamic "cors" {
    for_each = var.url.cors[*]

    content {
      allow_credentials = cors.value.allow_credentials
      allow_headers     = cors.value.allow_headers
      allow_methods     = cors.value.allow_methods
      allow_origins     = cors.value.allow_origins
      expose_headers    = cors.value.expose_headers
      max_age           = cors.value.max_age
    }
  }
}

resource "aws_lambda_permission" "url" {
  #checkov:skip=CKV_AWS_301:Made only for a URL that was asked to be public.
  count = try(var.url.authorization_type, null) == "NONE" ? 1 : 0

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
  maximum_retry_attempts       = var.async.maximum_retry_attempts
  maximum_event_age_in_seconds = var.async.maximum_event_age_in_seconds

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
