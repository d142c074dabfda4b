locals {
  name = "hybrid-ci-cd-${var.stage}"

  deletion_protection_enabled = coalesce(var.deletion_protection_enabled, var.production)

  # What the application itself tells browsers where nothing stands in front of it.
  cors = jsondecode(file("${path.module}/cors.json"))
}

module "sessions" {
  source = "../../dynamodb_table"

  name               = "hybrid-ci-cd-sessions-${var.stage}"
  hash_key           = "session_id"
  attribute_types    = { expires_at = "N" }
  ttl_attribute_name = "expires_at"
  global_secondary_indexes = {
    # What the list of devices shows, and never what the provider told of the user.
    "user_id-expires_at-index" = {
      hash_key           = "user_id"
      range_key          = "expires_at"
      non_key_attributes = ["created_at", "generation", "provider", "user_agent"]
    }
  }
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  autoscaling                    = var.autoscaling
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "jobs" {
  source = "../../dynamodb_table"

  name     = "hybrid-ci-cd-jobs-${var.stage}"
  hash_key = "job_id"
  global_secondary_indexes = {
    # Without payloads and results, which would be written once more at every change of status.
    "status-created_at-index" = {
      hash_key           = "status"
      range_key          = "created_at"
      non_key_attributes = ["agent_id", "attempt", "claimed_at", "finished_at", "name"]
    }
  }
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  autoscaling                    = var.autoscaling
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "agents" {
  source = "../../dynamodb_table"

  name     = "hybrid-ci-cd-agents-${var.stage}"
  hash_key = "agent_id"
  global_secondary_indexes = {
    "status-last_heartbeat_at-index" = {
      hash_key           = "status"
      range_key          = "last_heartbeat_at"
      non_key_attributes = ["name", "registered_at", "runs_on"]
    }
  }
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
  description  = "What the functions of hybrid_ci_cd depend on."
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"

  name                              = local.name
  description                       = "Answers every route of sessions, jobs and agents."
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

  environment = merge(
    {
      AGENT_LOST_AFTER_SECONDS = var.agent_lost_after_seconds
      CORS_ORIGINS             = join(",", var.cors_origins)
      DYNAMODB_TABLE_AGENTS    = module.agents.name
      DYNAMODB_TABLE_JOBS      = module.jobs.name
      DYNAMODB_TABLE_SESSIONS  = module.sessions.name
      LOG_LEVEL                = var.log_level
      OPEN_SESSIONS            = tostring(var.open_sessions)
      PRODUCTION               = tostring(var.production)
      PUBLIC_DOCS              = tostring(var.public_docs)
      SESSION_LIFETIME_SECONDS = var.session_lifetime_seconds
      STAGE                    = var.stage
    },
    var.base_path == null ? {} : { BASE_PATH = var.base_path },
    var.session_key_sha256 == null ? {} : { SESSION_KEY_SHA256 = var.session_key_sha256 },
  )

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn }
  }

  grants = [
    module.sessions.grants.delete_item,
    module.sessions.grants.get_item,
    module.sessions.grants.put_item,
    module.sessions.grants.query_index["user_id-expires_at-index"],
    module.jobs.grants.batch_get_item,
    module.jobs.grants.get_item,
    module.jobs.grants.put_item,
    module.jobs.grants.update_item,
    module.jobs.grants.query_index["status-created_at-index"],
    module.agents.grants.delete_item,
    module.agents.grants.get_item,
    module.agents.grants.put_item,
    module.agents.grants.update_item,
    module.agents.grants.query_index["status-last_heartbeat_at-index"],
  ]
}

module "api" {
  source = "../../rest_api"

  name                 = local.name
  description          = "Sessions, jobs and agents of a CI/CD product."
  stage_name           = var.stage
  production           = var.production
  invoke_arn           = module.function.invoke_arn
  web_acl_arn          = var.web_acl_arn
  throttling           = var.throttling
  xray_tracing_enabled = var.tracing
  access_logs          = { retention_in_days = var.logs_retention_in_days }
  error_codes          = { DEFAULT_4XX = "invalid_request" }
  alarm_topics         = [module.observability.topic]
  composed_alarms      = true
  tags                 = var.tags

  # The function asks for a session or for an agent's token. One route makes something for whoever comes, or has the one key.
  checked   = true
  throttled = { "POST /auth/session" = var.session_throttling }

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
  tables         = [module.sessions.name, module.jobs.name, module.agents.name]
  tags           = var.tags

  alarms = [
    module.sessions.alarms,
    module.jobs.alarms,
    module.agents.alarms,
    module.function.alarms,
    module.api.alarms,
  ]
}
