locals {
  deletion_protection_enabled = coalesce(var.deletion_protection_enabled, var.production)

  # Production has the bare names, every other environment adds its own.
  suffix       = var.suffix == null ? "" : "-${var.suffix}"
  name         = "stock-track-record${local.suffix}"
  table_prefix = "StockTrackRecord${local.suffix}"

  # Times that a message is received before it lies in the dead-letter queue; the worker marks its job at the last.
  max_receive_count = 3

  environment = {
    DYNAMODB_REGION = var.region
    # Taken from the table that is made last, so that no function is there before both tables are.
    DYNAMODB_TABLE_PREFIX = trimsuffix(module.stocks.name, "-Stocks")
    IS_LAMBDA             = "true"
    LOG_LEVEL             = var.log_level
    SQS_QUEUE_URL         = module.jobs.url
  }

  logs = {
    retention_in_days     = var.logs_retention_in_days
    application_log_level = var.log_level
  }

  # All that makes or changes something.
  writes = [
    "POST /api/channels",
    "POST /api/channels/{channel_id}/picks",
    "POST /api/channels/{channel_id}/process",
    "PUT /api/stocks/{ticker}",
  ]

  scopes = {
    read  = var.jwt == null ? [] : var.jwt.read_scopes
    write = var.jwt == null ? [] : var.jwt.write_scopes
  }

  # What the application itself tells browsers where nothing stands in front of it.
  cors = jsondecode(file("${path.module}/cors.json"))
}

# Channels, picks, track records and jobs. lambda/stock_track_record/README.md lists the access patterns.
module "records" {
  source = "../../dynamodb_table"

  name      = local.table_prefix
  hash_key  = "pk"
  range_key = "sk"
  global_secondary_indexes = {
    # What is listed and nothing else: the counters of a channel, which change often, are no writes to the index.
    gsi1 = {
      hash_key           = "gsi1pk"
      range_key          = "gsi1sk"
      non_key_attributes = ["channel_id", "created_at", "description", "detail", "finished_at", "job_id", "name", "state"]
    }
  }
  # Only jobs carry it.
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

module "stocks" {
  source = "../../dynamodb_table"

  name                           = "${module.records.name}-Stocks"
  hash_key                       = "ticker"
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
  source = "../../sqs_queue"

  name                       = "stock-track-record-jobs${local.suffix}"
  visibility_timeout_seconds = var.visibility_timeout_seconds
  max_receive_count          = local.max_receive_count
  alarm_topics               = [module.observability.topic]
  tags                       = var.tags
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
  description  = "What the functions of stock_track_record depend on."
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"

  name                              = local.name
  role_name                         = "stock-track-record-lambda-role${local.suffix}"
  description                       = "Answers every route of the track records."
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
  logs                              = local.logs
  alarm_topics                      = [module.observability.topic]
  composed_alarms                   = true
  tags                              = var.tags

  # API Gateway takes another spelling of a path for another route, so the application looks at the scopes as well.
  environment = merge(
    local.environment,
    { FRONTEND_URL = join(",", var.cors_origins), PUBLIC_DOCS = tostring(var.public_docs) },
    var.base_path == null ? {} : { BASE_PATH = var.base_path },
    { for name, scopes in local.scopes : "${upper(name)}_SCOPES" => join(" ", scopes) if length(scopes) > 0 },
  )

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn }
  }

  grants = [
    module.records.grants.get_item,
    module.records.grants.put_item,
    module.records.grants.query,
    module.records.grants.query_index["gsi1"],
    module.records.grants.update_item,
    module.stocks.grants.get_item,
    module.stocks.grants.update_item,
    module.jobs.grants.send,
  ]
}

module "worker" {
  source = "../../lambda_function"

  name                           = "stock-track-record-worker${local.suffix}"
  role_name                      = "stock-track-record-worker-role${local.suffix}"
  description                    = "Makes the track records that the queue asks for."
  package                        = var.packages["worker"]
  object                         = module.packages.objects["worker"]
  layers                         = module.layer[*].arn
  memory_size                    = var.memory_size
  permissions_boundary           = var.permissions_boundary
  release                        = var.release
  timeout                        = var.worker_timeout
  reserved_concurrent_executions = var.reserved_concurrent_executions
  tracing                        = var.tracing
  logs                           = local.logs
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags

  # It answers no requests: what it cannot do ends in the dead-letter queue, which has an alarm.
  alarms = { errors = 1, throttles = 1, duration_percent = 90, memory_percent = 90 }

  environment = merge(local.environment, { SQS_MAX_RECEIVES = local.max_receive_count })

  queues = {
    jobs = {
      source              = module.jobs.source
      maximum_concurrency = var.worker_maximum_concurrency
    }
  }

  grants = [
    module.records.grants.get_item,
    module.records.grants.put_item,
    module.records.grants.query,
    module.records.grants.update_item,
    module.stocks.grants.batch_get_item,
  ]
}

module "api" {
  source = "../../http_api"

  name            = local.name
  description     = "Track records of channels that pick stocks."
  invoke_arn      = module.function.invoke_arn
  jwt             = var.jwt == null ? null : { issuer = var.jwt.issuer, audience = var.jwt.audience }
  production      = var.production
  open_writes     = var.open_writes
  throttling      = var.throttling
  access_logs     = { retention_in_days = var.logs_retention_in_days }
  alarm_topics    = [module.observability.topic]
  composed_alarms = true
  tags            = var.tags

  routes = merge(
    {
      "GET /api/health" = { public = true }
      # The application routes, and responds with JSON for every path that it does not know. Browsers' preflights are left to API
      # Gateway, so that a token can be asked for. Nothing is made here: a test compares the routes below with the application's.
      "ANY /"         = { checked = true, authorization_scopes = local.scopes.read }
      "ANY /{proxy+}" = { checked = true, authorization_scopes = local.scopes.read }
    },
    { for route in local.writes : route => { authorization_scopes = local.scopes.write } },
  )
  open_throttling = var.write_throttling

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
  functions      = [module.function.name, module.worker.name]
  queues         = [module.jobs.name]
  tables         = [module.records.name, module.stocks.name]
  tags           = var.tags

  alarms = [
    module.records.alarms,
    module.stocks.alarms,
    module.function.alarms,
    module.worker.alarms,
    module.api.alarms,
  ]
}
