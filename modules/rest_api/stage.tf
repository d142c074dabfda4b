resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "What ${var.name} answers, frozen."

  triggers = {
    given = sha256(jsonencode(local.redeployment_triggers))
  }

  lifecycle {
    # A stage cannot lose the deployment it points at.
    create_before_destroy = true
  }

  # A deployment freezes what is there at that moment.
  depends_on = [
    aws_api_gateway_gateway_response.this,
    aws_api_gateway_integration.function,
    aws_api_gateway_integration.throttled,
  ]
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_73:Tracing is the root's decision.
  #checkov:skip=CKV_AWS_76:Access logs are on unless the caller says null.
  #checkov:skip=CKV_AWS_120:Every response is the caller's own; a cache would hand one to another.
  #checkov:skip=CKV2_AWS_29:A firewall is the account's decision: web_acl_arn names it.
  #checkov:skip=CKV2_AWS_77:The rules of that firewall are whoever makes it to choose; no function here runs Java.
  #checkov:skip=CKV2_AWS_51:Clients are known by their keys, not by certificates; this one would be API Gateway's own towards the function, which IAM guards.
  #checkov:skip=CKV2_AWS_4:The level of execution logs is OFF on purpose: they would hold keys and payloads; access logs hold neither.
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage_name
  description          = "The stage ${var.stage_name} of ${var.name}."
  xray_tracing_enabled = var.xray_tracing_enabled
  tags                 = var.tags

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access

    content {
      destination_arn = access_log_settings.value.arn
      # Never $context.path: a caller may have put a key where an id belongs.
      format = jsonencode({
        time               = "$context.requestTime"
        request_id         = "$context.requestId"
        method             = "$context.httpMethod"
        path               = "$context.resourcePath"
        status             = "$context.status"
        duration_ms        = "$context.responseLatency"
        integration_ms     = "$context.integrationLatency"
        integration_status = "$context.integrationStatus"
        error_type         = "$context.error.responseType"
        response_bytes     = "$context.responseLength"
        source_ip          = "$context.identity.sourceIp"
        user_agent         = "$context.identity.userAgent"
        trace_id           = "$context.xrayTraceId"
      })
    }
  }
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:Every response is the caller's own; a cache would hand one to another.
  #checkov:skip=CKV_AWS_308:There is no cache to encrypt.
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    data_trace_enabled     = false
    logging_level          = "OFF"
    metrics_enabled        = true
    throttling_burst_limit = var.throttling.burst_limit
    throttling_rate_limit  = var.throttling.rate_limit
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts with a key of its own unless access_logs.kms_key_id names another.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the root's decision, as is what it costs.
  count = var.access_logs == null ? 0 : 1

  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.access_logs.retention_in_days
  kms_key_id        = var.access_logs.kms_key_id
  tags              = var.tags
}
