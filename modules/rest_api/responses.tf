# What API Gateway says when the function was not asked or did not respond, in the shape of the application's own errors.
locals {
  # Seconds after which a throttled caller may try again, as the applications say it themselves.
  retry_after = 2

  errors = {
    DEFAULT_4XX                  = { status = null, code = "bad_request", message = "The request was refused before it reached the application." }
    DEFAULT_5XX                  = { status = null, code = "internal_error", message = "The application did not answer. Try again, and name the request id if it stays so." }
    ACCESS_DENIED                = { status = "403", code = "forbidden", message = "The caller may not do this." }
    INTEGRATION_FAILURE          = { status = "502", code = "internal_error", message = "The application did not answer. Try again, and name the request id if it stays so." }
    INTEGRATION_TIMEOUT          = { status = "504", code = "timeout", message = "The application took too long. Try again." }
    MISSING_AUTHENTICATION_TOKEN = { status = "404", code = "not_found", message = "There is nothing at this address." }
    REQUEST_TOO_LARGE            = { status = "413", code = "request_too_large", message = "The request is larger than 10 MB, which is the most that is taken." }
    THROTTLED                    = { status = "429", code = "throttled", message = "There are too many requests at the moment. Send this one again in ${local.retry_after} seconds." }
    UNAUTHORIZED                 = { status = "401", code = "unauthorized", message = "The credentials are missing or wrong." }
  }

  # API Gateway cannot choose from a list. With one origin, or *, it says that one. With several it repeats the caller's: its
  # own errors hold nothing but a code, a sentence and a request id, and a browser hides them without this header.
  origin = length(var.cors.allow_origins) == 1 ? "'${one(var.cors.allow_origins)}'" : "method.request.header.Origin"

  headers = merge(
    {
      "gatewayresponse.header.Cache-Control" = "'no-store'"
      "gatewayresponse.header.X-Request-ID"  = "context.requestId"
    },
    length(var.cors.allow_origins) == 0 ? {} : {
      "gatewayresponse.header.Access-Control-Allow-Origin"   = local.origin
      "gatewayresponse.header.Access-Control-Allow-Methods"  = "'${join(", ", var.cors.allow_methods)}'"
      "gatewayresponse.header.Access-Control-Allow-Headers"  = "'${join(", ", var.cors.allow_headers)}'"
      "gatewayresponse.header.Access-Control-Expose-Headers" = "'X-Request-ID, Retry-After'"
      "gatewayresponse.header.Access-Control-Max-Age"        = "'${var.cors.max_age}'"
    },
    length(var.cors.allow_origins) < 2 ? {} : {
      "gatewayresponse.header.Vary" = "'Origin'"
    },
  )

  responses = {
    for type, error in local.errors : type => {
      status = error.status
      headers = merge(
        local.headers,
        error.status == "429" ? { "gatewayresponse.header.Retry-After" = "'${local.retry_after}'" } : {},
      )
      # $context.requestId is filled in by API Gateway, quotes and all that it needs.
      body = jsonencode({
        error = {
          code       = lookup(var.error_codes, type, error.code)
          message    = error.message
          request_id = "$context.requestId"
        }
      })
    }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.responses

  rest_api_id         = aws_api_gateway_rest_api.this.id
  response_type       = each.key
  status_code         = each.value.status
  response_parameters = each.value.headers
  response_templates  = { "application/json" = each.value.body }
}
