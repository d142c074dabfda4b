locals {
  name = "turbotech-portal-${var.stage}"

  deletion_protection_enabled = coalesce(var.deletion_protection_enabled, var.production)

  # By the variable that tells the function; one that is not set asks for nothing.
  scopes = {
    for name, scope in {
      SCOPE_DELIVERABLES = var.scopes.deliverables
      SCOPE_METRICS      = var.scopes.metrics
      SCOPE_READ         = var.scopes.read
      SCOPE_UPDATES      = var.scopes.updates
    } : name => scope if scope != null
  }

  # What API Gateway asks for as well: as soon as one scope is set each kind of change is a route of its own, since the one
  # that takes all the rest asks for reading's.
  changes = var.scopes.in_gateway && length(local.scopes) > 0 ? {
    "/api/deliverables/{id}" = { method = "PATCH", scope = var.scopes.deliverables }
    "/api/metrics/{id}"      = { method = "PATCH", scope = var.scopes.metrics }
    "/api/updates"           = { method = "POST", scope = var.scopes.updates }
  } : {}

  # What the application itself tells browsers where nothing stands in front of it.
  cors = jsondecode(file("${path.module}/cors.json"))
}

module "deliverables" {
  source = "../../dynamodb_table"

  name     = "turbotech-${var.stage}-deliverables"
  hash_key = "id"
  global_secondary_indexes = {
    MonthIndex = { hash_key = "month" }
  }
  attribute_types                = { id = "N", month = "N" }
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "metrics" {
  source = "../../dynamodb_table"

  name                           = "turbotech-${var.stage}-metrics"
  hash_key                       = "id"
  attribute_types                = { id = "N" }
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "updates" {
  source = "../../dynamodb_table"

  name     = "turbotech-${var.stage}-updates"
  hash_key = "id"
  # Every update has the same feed, so the index is all of them by time.
  global_secondary_indexes = {
    FeedIndex = { hash_key = "feed", range_key = "created_at" }
  }
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "users" {
  source = "../../dynamodb_table"

  name                           = "turbotech-${var.stage}-users"
  hash_key                       = "id"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
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
  description  = "What the functions of turbotech_portal depend on."
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"

  name                           = local.name
  description                    = "Answers every route of the project portal."
  package                        = var.packages[var.web_adapter == null ? "api" : "web"]
  object                         = module.packages.objects[var.web_adapter == null ? "api" : "web"]
  layers                         = concat(module.layer[*].arn, var.web_adapter[*].layer_arn)
  memory_size                    = var.memory_size
  permissions_boundary           = var.permissions_boundary
  release                        = var.release
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrent_executions
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags

  logs = {
    retention_in_days     = var.logs_retention_in_days
    application_log_level = var.log_level
  }

  environment = merge(
    {
      AUTH_MODE                   = "gateway"
      DYNAMODB_TABLE_DELIVERABLES = module.deliverables.name
      DYNAMODB_TABLE_METRICS      = module.metrics.name
      DYNAMODB_TABLE_UPDATES      = module.updates.name
      DYNAMODB_TABLE_USERS        = module.users.name
      LOG_LEVEL                   = var.log_level
      PUBLIC_DOCS                 = tostring(var.public_docs)
      PRODUCTION                  = tostring(var.production)
      STAGE                       = var.stage
    },
    local.scopes,
    var.base_path == null ? {} : { BASE_PATH = var.base_path },
    # https://github.com/awslabs/aws-lambda-web-adapter says what they mean; run.sh reads PORT as well.
    var.web_adapter == null ? {} : {
      AWS_LAMBDA_EXEC_WRAPPER      = "/opt/bootstrap"
      AWS_LWA_READINESS_CHECK_PATH = "/api/health"
      PORT                         = "8080"
    },
    # The adapter takes it away itself, wherever it stands.
    var.web_adapter == null || var.base_path == null ? {} : { AWS_LWA_REMOVE_BASE_PATH = var.base_path },
  )

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn }
  }

  grants = [
    module.deliverables.grants.get_item,
    module.deliverables.grants.query_index["MonthIndex"],
    module.deliverables.grants.scan,
    module.deliverables.grants.update_item,
    module.metrics.grants.get_item,
    module.metrics.grants.scan,
    module.metrics.grants.update_item,
    module.updates.grants.get_item,
    module.updates.grants.put_item,
    module.updates.grants.query_index["FeedIndex"],
    module.updates.grants.update_item,
    module.users.grants.get_item,
    module.users.grants.scan,
    module.users.grants.update_item,
  ]
}

module "api" {
  source = "../../http_api"

  name            = local.name
  description     = "Deliverables, metrics and updates of a project."
  invoke_arn      = module.function.invoke_arn
  jwt             = var.jwt
  production      = var.production
  throttling      = var.throttling
  access_logs     = { retention_in_days = var.logs_retention_in_days }
  alarm_topics    = [module.observability.topic]
  composed_alarms = true
  tags            = var.tags

  routes = merge({ for path, change in local.changes : "${change.method} ${path}" => { scopes = change.scope[*] } }, {
    "ANY /api/{proxy+}" = { authorization_scopes = var.scopes.in_gateway ? var.scopes.read[*] : [] }
    "GET /api/health"   = { public = true }
    # The docs, and an error with a code and a request id for every other path. Nobody checks a token here, so the function
    # refuses with 401 whatever it would have returned.
    "$default" = { public = true, checked = true }
  })

  cors_configuration = {
    allow_origins  = var.cors_origins
    allow_methods  = local.cors.allow_methods
    allow_headers  = local.cors.allow_headers
    expose_headers = local.cors.expose_headers
    max_age        = local.cors.max_age
  }
}

module "observability" {
  source = "../../observability"

  name           = local.name
  email          = var.alarm_email
  alarms_unheard = var.alarms_unheard
  production     = var.production
  http_apis      = { (module.api.name) = module.api.id }
  functions      = [module.function.name]
  tables         = [module.deliverables.name, module.metrics.name, module.updates.name, module.users.name]
  tags           = var.tags

  alarms = [
    module.deliverables.alarms,
    module.metrics.alarms,
    module.updates.alarms,
    module.users.alarms,
    module.function.alarms,
    module.api.alarms,
  ]
}
