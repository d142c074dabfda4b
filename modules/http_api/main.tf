# The routes of one API, all to one function, which does the finer routing by itself.
locals {
  # API Gateway responds to a browser's preflight itself unless a route takes OPTIONS: that one would hand it to the function, and
  # ask for a token, which browsers do not send with it. So ANY stands for every method but OPTIONS.
  methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
  spelled = var.cors_configuration == null ? {} : merge([
    for key, route in var.routes : {
      for method in local.methods : replace(key, "/^ANY /", "${method} ") => route
    } if startswith(key, "ANY ")
  ]...)
  routes = merge(local.spelled, { for key, route in var.routes : key => route if var.cors_configuration == null || !startswith(key, "ANY ") })

  # What everybody may write through: no token is asked for, and the function asks for nothing either.
  open_writes = {
    for key, route in local.routes : key => route
    if !route.checked && (var.jwt == null || route.public) && !can(regex("^(GET|HEAD|OPTIONS) ", key))
  }

  # Such a route never has all that the stage lets through to itself: a limit and alarms of its own show who overdoes it.
  throttled = merge(
    { for key, route in local.open_writes : key => var.open_throttling },
    { for key, route in local.routes : key => route.throttling if route.throttling != null },
  )
}

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = var.description
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = false
  tags                         = var.tags

  dynamic "cors_configuration" {
    for_each = var.cors_configuration[*]

    content {
      allow_credentials = cors_configuration.value.allow_credentials
      allow_headers     = cors_configuration.value.allow_headers
      allow_methods     = cors_configuration.value.allow_methods
      allow_origins     = cors_configuration.value.allow_origins
      expose_headers    = cors_configuration.value.expose_headers
      max_age           = cors_configuration.value.max_age
    }
  }
}

resource "aws_apigatewayv2_integration" "function" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = var.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = var.timeout * 1000
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }

  lifecycle {
    # A route cannot lose the authorizer that it asks.
    create_before_destroy = true
    # AWS has none for tokens, and refuses one; the local AWS makes one up.
    ignore_changes = [authorizer_payload_format_version]
  }
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:A route is open where it is public or where the caller gave no issuer, on purpose.
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.function.id}"
  authorization_type = var.jwt == null || each.value.public ? "NONE" : "JWT"
  authorizer_id      = var.jwt == null || each.value.public ? null : aws_apigatewayv2_authorizer.jwt[0].id

  # A token with none of them gets 403.
  authorization_scopes = length(each.value.authorization_scopes) == 0 ? null : each.value.authorization_scopes
}
