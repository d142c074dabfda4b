# Every path and method, OPTIONS too, goes to one function, which routes by itself.
locals {
  # What a deployment freezes, as this module was given it. Hashing whole resources would redeploy for their computed parts.
  redeployment_triggers = merge(
    {
      routes    = keys(local.routes)
      method    = local.method
      function  = var.invoke_arn
      timeout   = var.timeout
      responses = local.responses
      binary    = local.binary
    },
    length(var.throttled) == 0 ? {} : { throttled = sort(keys(var.throttled)) },
  )

  # Bodies reach the function as the bytes that were sent. Else API Gateway makes text of them, with U+FFFD for what is not UTF-8. Every
  # integration is the function's: what this breaks is a preflight that API Gateway handles itself (MOCK), which needs CONVERT_TO_TEXT.
  binary = ["*/*"]

  method = {
    http_method   = "ANY"
    authorization = "NONE"
    integration   = { type = "AWS_PROXY", http_method = "POST" }
  }

  routes = {
    root  = aws_api_gateway_rest_api.this.root_resource_id
    proxy = aws_api_gateway_resource.proxy.id
  }
}

resource "aws_api_gateway_rest_api" "this" {
  name                         = var.name
  description                  = var.description
  binary_media_types           = local.binary
  disable_execute_api_endpoint = false
  tags                         = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_resource" "proxy" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "any" {
  #checkov:skip=CKV_AWS_59:The function checks the caller's key itself, and health and docs are open on purpose.
  #checkov:skip=CKV2_AWS_53:The function validates requests itself, and says what is wrong in its own words.
  for_each = local.routes

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = each.value
  http_method   = local.method.http_method
  authorization = local.method.authorization
}

resource "aws_api_gateway_integration" "function" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.any[each.key].http_method
  type                    = local.method.integration.type
  integration_http_method = local.method.integration.http_method
  uri                     = var.invoke_arn
  timeout_milliseconds    = var.timeout * 1000
}
