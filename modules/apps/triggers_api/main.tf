locals {
  name  = "triggers-api-${var.stage}"
  write = try(var.inbox_shards.write, 1)

  deletion_protection_enabled = coalesce(var.deletion_protection_enabled, var.production)

  # What the application itself tells browsers where nothing stands in front of it.
  cors = jsondecode(file("${path.module}/cors.json"))
}

module "events" {
  source = "../../dynamodb_table"

  name      = "triggers-api-events-${var.stage}"
  hash_key  = "event_id"
  range_key = "created_at"
  global_secondary_indexes = {
    "status-created_at-index" = { hash_key = "status", range_key = "created_at" }
  }
  # Only the records of idempotency keys carry it.
  ttl_attribute_name             = "expires_at"
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  autoscaling                    = var.autoscaling
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "keys" {
  source = "../../dynamodb_table"

  name                           = "triggers-api-keys-${var.stage}"
  hash_key                       = "api_key"
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  autoscaling                    = var.autoscaling
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

# What is too large for a call, or is to go through S3, is uploaded once for all functions.
module "packages" {
  source = "../../lambda_packages"

  name     = local.name
  bucket   = var.packages_bucket
  packages = var.packages
  tags     = var.tags
}

# What the functions depend on, where the build puts that into a layer.
module "layer" {
  source = "../../lambda_layer"
  count  = length(var.packages["api"].layer[*])

  name         = "${local.name}-dependencies"
  description  = "What the functions of triggers_api depend on."
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"

  name                              = local.name
  description                       = "Answers every route of the inbox of events."
  package                           = var.packages["api"]
  object                            = module.packages.objects["api"]
  layers                            = module.layer[*].arn
  memory_size                       = var.memory_size
  permissions_boundary              = var.permissions_boundary
  release                           = var.release
  timeout                           = var.timeout
  reserved_concurrent_executions    = var.reserved_concurrent_executions
  provisioned_concurrent_executions = var.provisioned_concurrent_executions
  tracing                           = var.tracing
  alarm_topics                      = [module.observability.topic]
  composed_alarms                   = true
  tags                              = var.tags

  logs = {
    retention_in_days     = var.logs_retention_in_days
    application_log_level = var.log_level
  }

  environment = merge({
    AUTH_MODE             = var.auth_mode
    CORS_ORIGINS          = join(",", var.cors_origins)
    DYNAMODB_TABLE_EVENTS = module.events.name
    DYNAMODB_TABLE_KEYS   = module.keys.name
    INBOX_READ_SHARDS     = coalesce(try(var.inbox_shards.read, null), local.write)
    INBOX_WRITE_SHARDS    = local.write
    LOG_LEVEL             = var.log_level
    PUBLIC_DOCS           = tostring(var.public_docs)
    PRODUCTION            = tostring(var.production)
    STAGE                 = var.stage
  }, var.base_path == null ? {} : { BASE_PATH = var.base_path })

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn }
  }

  grants = [
    module.events.grants.put_item,
    module.events.grants.get_item,
    module.events.grants.update_item,
    module.events.grants.delete_item,
    module.events.grants.query,
    module.events.grants.query_index["status-created_at-index"],
    module.keys.grants.get_item,
  ]
}

module "api" {
  source = "../../rest_api"

  name                 = local.name
  description          = "Inbox of events for automation clients."
  stage_name           = var.stage
  production           = var.production
  invoke_arn           = module.function.invoke_arn
  web_acl_arn          = var.web_acl_arn
  throttling           = var.throttling
  xray_tracing_enabled = var.tracing
  access_logs          = { retention_in_days = var.logs_retention_in_days }
  error_codes          = { DEFAULT_4XX = "invalid_request", REQUEST_TOO_LARGE = "event_too_large" }
  alarm_topics         = [module.observability.topic]
  composed_alarms      = true
  tags                 = var.tags

  # The function asks for an API key wherever it makes something.
  checked = true

  cors = {
    allow_origins = var.cors_origins
    allow_methods = local.cors.allow_methods
    allow_headers = local.cors.allow_headers
    max_age       = local.cors.max_age
  }
}

module "observability" {
  source = "../../observability"

  name           = local.name
  email          = var.alarm_email
  alarms_unheard = var.alarms_unheard
  production     = var.production
  apis           = [module.api.name]
  functions      = [module.function.name]
  tables         = [module.events.name, module.keys.name]
  tags           = var.tags

  alarms = [
    module.events.alarms,
    module.keys.alarms,
    module.function.alarms,
    module.api.alarms,
  ]
}
