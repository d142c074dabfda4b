# Routes with a limit of their own. API Gateway throttles a method of a resource, so each gets one; what is none of them goes to
# {proxy+} all the same, other methods of the same path too, since API Gateway chooses by path and method together.
locals {
  parts = {
    for key in keys(var.throttled) : key => slice(split("/", split(" ", key)[1]), 1, length(split("/", split(" ", key)[1])))
  }

  # The paths that lead to a route, by how many parts they have: a resource names its parent, which must be another resource block.
  paths = {
    for depth in [1, 2, 3] : depth => toset([for parts in values(local.parts) : join("/", slice(parts, 0, depth)) if length(parts) >= depth])
  }

  resources = merge(aws_api_gateway_resource.first, aws_api_gateway_resource.second, aws_api_gateway_resource.third)
}

resource "aws_api_gateway_resource" "first" {
  for_each = local.paths[1]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "second" {
  for_each = local.paths[2]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.first[dirname(each.value)].id
  path_part   = basename(each.value)
}

resource "aws_api_gateway_resource" "third" {
  for_each = local.paths[3]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.second[dirname(each.value)].id
  path_part   = basename(each.value)
}

resource "aws_api_gateway_method" "throttled" {
  #checkov:skip=CKV_AWS_59:The function decides who may call; that nobody logs in here is why there is a limit.
  #checkov:skip=CKV2_AWS_53:The function validates requests itself, and says what is wrong in its own words.
  for_each = var.throttled

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = local.resources[join("/", local.parts[each.key])].id
  http_method   = split(" ", each.key)[0]
  authorization = local.method.authorization
}

resource "aws_api_gateway_integration" "throttled" {
  for_each = var.throttled

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_method.throttled[each.key].resource_id
  http_method             = aws_api_gateway_method.throttled[each.key].http_method
  type                    = local.method.integration.type
  integration_http_method = local.method.integration.http_method
  uri                     = var.invoke_arn
  timeout_milliseconds    = var.timeout * 1000
}

resource "aws_api_gateway_method_settings" "throttled" {
  #checkov:skip=CKV_AWS_225:Every response is the caller's own; a cache would hand one to another.
  #checkov:skip=CKV_AWS_308:There is no cache to encrypt.
  for_each = var.throttled

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "${join("/", local.parts[each.key])}/${aws_api_gateway_method.throttled[each.key].http_method}"

  settings {
    data_trace_enabled     = false
    logging_level          = "OFF"
    metrics_enabled        = true
    throttling_burst_limit = each.value.burst_limit
    throttling_rate_limit  = each.value.rate_limit
  }

  # One after the other: both change the stage.
  depends_on = [aws_api_gateway_method_settings.all]
}
