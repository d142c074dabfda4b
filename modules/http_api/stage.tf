resource "aws_apigatewayv2_stage" "this" {
  #checkov:skip=CKV_AWS_76:Access logs are on unless the caller says null.
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  description = "The only stage of ${var.name}."
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = var.throttling.burst_limit
    throttling_rate_limit    = var.throttling.rate_limit
  }

  dynamic "route_settings" {
    for_each = local.throttled

    content {
      route_key                = route_settings.key
      detailed_metrics_enabled = true
      throttling_burst_limit   = route_settings.value.burst_limit
      throttling_rate_limit    = route_settings.value.rate_limit
    }
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access

    content {
      destination_arn = access_log_settings.value.arn
      # Never $context.path: a caller may have put a key where an id belongs.
      format = jsonencode({
        time               = "$context.requestTime"
        request_id         = "$context.requestId"
        method             = "$context.httpMethod"
        route              = "$context.routeKey"
        status             = "$context.status"
        duration_ms        = "$context.responseLatency"
        integration_ms     = "$context.integrationLatency"
        integration_status = "$context.integrationStatus"
        error_type         = "$context.error.responseType"
        authorizer_error   = "$context.authorizer.error"
        response_bytes     = "$context.responseLength"
        source_ip          = "$context.identity.sourceIp"
        user_agent         = "$context.identity.userAgent"
      })
    }
  }

  # AWS knows no settings of a route that is not there.
  depends_on = [aws_apigatewayv2_route.this]
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts with a key of its own unless access_logs.kms_key_id names another.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the root's decision, as is what it costs.
  count = var.access_logs == null ? 0 : 1

  # Groups under this prefix share one line of the account's resource policy, which has room for about ten others.
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.access_logs.retention_in_days
  kms_key_id        = var.access_logs.kms_key_id
  tags              = var.tags
}
