locals {
  name = "hybrid-ci-cd-${var.stage}"

  deletion_protection = coalesce(var.deletion_protection, var.production)
}

module "sessions" {
  source = "../../dynamodb_table"

  name  = "hybrid-ci-cd-sessions-${var.stage}"
  key   = { hash = "session_id" }
  types = { expires_at = "N" }
  ttl   = "expires_at"
  indexes = {
    # What the list of devices shows, and never what the provider told of the user.
    "user_id-expires_at-index" = {
      hash       = "user_id"
      range      = "expires_at"
      attributes = ["created_at", "generation", "provider", "user_agent"]
    }
  }
  encryption             = "aws-managed"
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = local.deletion_protection
  autoscaling            = var.autoscaling
  override               = var.capacity
  alarm_topics           = [module.observability.topic]
}

module "jobs" {
  source = "../../dynamodb_table"

  name = "hybrid-ci-cd-jobs-${var.stage}"
  key  = { hash = "job_id" }
  indexes = {
    # Without payloads and results, which would be written once more at every change of status.
    "status-created_at-index" = {
      hash       = "status"
      range      = "created_at"
      attributes = ["agent_id", "attempt", "claimed_at", "finished_at", "name"]
    }
  }
  encryption             = "aws-managed"
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = local.deletion_protection
  autoscaling            = var.autoscaling
  override               = var.capacity
  alarm_topics           = [module.observability.topic]
}

module "agents" {
  source = "../../dynamodb_table"

  name = "hybrid-ci-cd-agents-${var.stage}"
  key  = { hash = "agent_id" }
  indexes = {
    "status-last_heartbeat_at-index" = {
      hash       = "status"
      range      = "last_heartbeat_at"
      attributes = ["name", "registered_at", "runs_on"]
    }
  }
  encryption             = "aws-managed"
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = local.deletion_protection
  autoscaling            = var.autoscaling
  override               = var.capacity
  alarm_topics           = [module.observability.topic]
}

# What is too large for a call, or is to go through S3, is uploaded once for all functions.
module "packages" {
  source = "../../lambda_packages"

  name     = local.name
  bucket   = var.packages_bucket
  packages = var.packages
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

  name                    = local.name
  description             = "Answers every route of sessions, jobs and agents."
  package                 = var.packages["api"]
  object                  = module.packages.objects["api"]
  layers                  = module.layer[*].arn
  memory                  = var.memory
  timeout                 = var.timeout
  reserved_concurrency    = var.reserved_concurrency
  provisioned_concurrency = var.provisioned_concurrency
  tracing                 = var.tracing
  alarm_topics            = [module.observability.topic]

  logs = {
    retention_days = var.logs_days
    level          = var.log_level
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

  name         = local.name
  description  = "Sessions, jobs and agents of a CI/CD product."
  stage        = var.stage
  production   = var.production
  invoke_arn   = module.function.invoke_arn
  web_acl_arn  = var.web_acl_arn
  throttling   = var.throttling
  tracing      = var.tracing
  access_logs  = { retention_days = var.logs_days }
  error_codes  = { DEFAULT_4XX = "invalid_request" }
  alarm_topics = [module.observability.topic]

  # The function asks for a session or for an agent's token. One route makes something for whoever comes, or has the one key.
  checked   = true
  throttled = { "POST /auth/session" = var.session_throttling }

  cors = {
    origins = var.cors_origins
    methods = ["GET", "POST", "DELETE", "OPTIONS"]
    headers = ["Authorization", "Content-Type", "X-Request-ID", "X-Session-Key"]
    max_age = 3600
  }
}

module "observability" {
  source = "../../observability"

  name      = local.name
  email     = var.alarm_email
  apis      = [module.api.name]
  functions = [module.function.name]
  tables    = [module.sessions.name, module.jobs.name, module.agents.name]
}
