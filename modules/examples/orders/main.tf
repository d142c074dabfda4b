provider "aws" {
  region = var.region
}

locals {
  name = "orders-${var.stage}"
  tags = { app = "orders", stage = var.stage }
}

module "table" {
  source = "../../dynamodb_table"

  # Not the function's name: each has an alarm NAME-throttles.
  name                           = "${local.name}-placed"
  hash_key                       = "customer"
  range_key                      = "ordered_at"
  point_in_time_recovery_enabled = true
  deletion_protection_enabled    = var.production
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = local.tags

  global_secondary_indexes = {
    "status-index" = { hash_key = "status", range_key = "ordered_at", non_key_attributes = ["total"] }
  }
}

module "parcels" {
  source = "../../sqs_queue"

  name                       = "${local.name}-parcels"
  visibility_timeout_seconds = 180
  alarm_topics               = [module.observability.topic]
  tags                       = local.tags
}

module "settings" {
  source = "../../ssm_parameters"

  secrets = {
    "/orders/${var.stage}/carrier_token" = { description = "Token of the carrier; an operator writes it." }
  }
  tags = local.tags
}

module "api_function" {
  source = "../../lambda_function"

  name            = local.name
  description     = "Takes orders."
  image           = { uri = var.image }
  production      = var.production
  alarm_topics    = [module.observability.topic]
  composed_alarms = true
  tags            = local.tags

  environment = { TABLE = module.table.name, QUEUE = module.parcels.url }
  triggers    = { api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn } }
  grants      = [module.table.grants.put_item, module.table.grants.query, module.parcels.grants.send]
}

module "packer" {
  source = "../../lambda_function"

  name            = "${local.name}-packer"
  description     = "Tells the carrier of parcels."
  image           = { uri = var.image, command = ["orders.packer.handler"] }
  production      = var.production
  alarm_topics    = [module.observability.topic]
  composed_alarms = true
  tags            = local.tags

  environment = { TABLE = module.table.name, CARRIER_TOKEN_PARAMETER = "/orders/${var.stage}/carrier_token" }
  queues      = { parcels = { source = module.parcels.source, maximum_concurrency = 5 } }
  grants      = concat([module.table.grants.update_item], values(module.settings.grants.read))
}

module "api" {
  source = "../../http_api"

  name               = local.name
  description        = "Orders of customers who have logged in."
  invoke_arn         = module.api_function.invoke_arn
  jwt                = var.jwt
  production         = var.production
  cors_configuration = { allow_origins = var.cors_origins }
  alarm_topics       = [module.observability.topic]
  composed_alarms    = true
  tags               = local.tags

  routes = {
    "GET /api/health"   = { public = true }
    "ANY /api/{proxy+}" = {}
  }
}

module "observability" {
  source = "../../observability"

  name       = local.name
  email      = var.alarm_email
  production = var.production
  http_apis  = { (module.api.name) = module.api.id }
  functions  = [module.api_function.name, module.packer.name]
  queues     = [module.parcels.name]
  tables     = [module.table.name]
  alarms     = [module.table.alarms, module.api_function.alarms, module.packer.alarms, module.api.alarms]
  tags       = local.tags
}
# plan: 1 aws_dynamodb_table, 2 aws_sqs_queue, 2 aws_lambda_function, 2 aws_iam_role, 1 aws_lambda_event_source_mapping, 1 aws_apigatewayv2_api, 7 aws_apigatewayv2_route, 3 aws_ssm_parameter, 1 aws_sns_topic, 1 aws_cloudwatch_dashboard, 2 aws_cloudwatch_composite_alarm, 4 aws_cloudwatch_log_metric_filter
