locals {
  name       = "file-sharing-app-${var.stage}"
  parameters = "/fileshare/${var.stage}"

  deletion_protection_enabled = coalesce(var.deletion_protection_enabled, var.production)

  # What the application itself tells browsers where nothing stands in front of it.
  cors = jsondecode(file("${path.module}/cors.json"))
}

module "users" {
  source = "../../dynamodb_table"

  name     = "${local.name}-users"
  hash_key = "user_id"
  global_secondary_indexes = {
    "email-index" = { hash_key = "email" }
  }
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "urls" {
  source = "../../dynamodb_table"

  name     = "${local.name}-urls"
  hash_key = "short_code"
  global_secondary_indexes = {
    "user-index" = { hash_key = "created_by_user" }
  }
  ttl_attribute_name             = "expires_at_ttl"
  encryption                     = "aws-managed"
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  deletion_protection_enabled    = local.deletion_protection_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

# What the backend may do, in whichever form it runs.
module "policy" {
  source = "../../iam_policy"

  name        = "${local.name}-dynamodb"
  description = "What the backend of fileshare may do with its users and links."
  attach_to = merge(
    var.task_role == null ? {} : { task = var.task_role },
    { for function in module.function : "function" => function.role.name },
  )

  grants = [
    module.users.grants.get_item,
    module.users.grants.put_item,
    module.users.grants.update_item,
    module.users.grants.query_index["email-index"],
    module.urls.grants.get_item,
    module.urls.grants.put_item,
    module.urls.grants.update_item,
    module.urls.grants.delete_item,
    module.urls.grants.query_index["user-index"],
  ]

  tags = var.tags
}

# The contract with the service's deployment, which reads these and nothing else.
module "parameters" {
  source = "../../ssm_parameters"

  parameters = {
    "${local.parameters}/dynamodb_users_table_name" = { value = module.users.name, description = "Name of the table of users." }
    "${local.parameters}/dynamodb_urls_table_name"  = { value = module.urls.name, description = "Name of the table of links." }
    "${local.parameters}/dynamodb_users_table_arn"  = { value = module.users.arn, description = "ARN of the table of users." }
    "${local.parameters}/dynamodb_urls_table_arn"   = { value = module.urls.arn, description = "ARN of the table of links." }
    "${local.parameters}/dynamodb_policy_arn"       = { value = module.policy.arn, description = "ARN of the policy that the task role needs." }
  }

  switches = {
    "${local.parameters}/use_dynamodb" = { initial = "true", description = "Whether the service uses DynamoDB; false is the way back to SQLite at the next deployment." }
  }

  tags = var.tags
}

# What is too large for a call, or is to go through S3, is uploaded once for all functions.
module "packages" {
  source = "../../lambda_packages"

  name     = local.name
  bucket   = var.packages_bucket
  packages = var.lambda == null ? {} : var.packages
  tags     = var.tags
}

# What the functions depend on, where the build puts that into a layer.
module "layer" {
  source = "../../lambda_layer"
  count  = var.lambda == null ? 0 : length(var.packages["api"].layer[*])

  name         = "${local.name}-dependencies"
  description  = "What the functions of fileshare depend on."
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"
  count  = var.lambda == null ? 0 : 1

  name                              = local.name
  description                       = "Answers every route of fileshare."
  package                           = var.packages["api"]
  object                            = module.packages.objects["api"]
  layers                            = module.layer[*].arn
  memory_size                       = var.lambda.memory_size
  permissions_boundary              = var.permissions_boundary
  release                           = var.release
  timeout                           = var.lambda.timeout
  reserved_concurrent_executions    = var.lambda.reserved_concurrent_executions
  provisioned_concurrent_executions = var.lambda.provisioned_concurrent_executions
  tracing                           = var.lambda.tracing
  other_policies                    = { policy_arns = [module.policy.arn] }
  alarm_topics                      = [module.observability.topic]
  composed_alarms                   = true
  tags                              = var.tags

  logs = {
    retention_in_days     = var.lambda.logs_retention_in_days
    application_log_level = var.lambda.log_level
  }

  # The region is Lambda's own, and a function has no disk that a SQLite file would outlive it on.
  environment = merge({
    DYNAMODB_URLS_TABLE_NAME  = module.urls.name
    DYNAMODB_USERS_TABLE_NAME = module.users.name
    LOG_LEVEL                 = var.lambda.log_level
    MERGE_PLUS_ADDRESSES      = tostring(var.merge_plus_addresses)
    PUBLIC_DOCS               = tostring(var.lambda.public_docs)
    USE_DYNAMODB              = "true"
  }, var.lambda.base_path == null ? {} : { BASE_PATH = var.lambda.base_path })

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api[0].source_arn }
  }
}

module "api" {
  source = "../../http_api"
  count  = var.lambda == null ? 0 : 1

  name            = local.name
  description     = "Users, links and the premium trial of fileshare."
  invoke_arn      = module.function[0].invoke_arn
  production      = var.production
  open_writes     = var.lambda.open_writes
  throttling      = var.lambda.throttling
  access_logs     = { retention_in_days = var.lambda.logs_retention_in_days }
  alarm_topics    = [module.observability.topic]
  composed_alarms = true
  tags            = var.tags
  # The backend asks for its own tokens, in both of its forms.
  jwt = null

  routes = {
    # Whoever signs up has no token yet.
    "POST /api/users" = { throttling = var.lambda.sign_up_throttling }
    "$default"        = { checked = true }
  }

  # The same words as the backend's own, which counts where no gateway stands in front; here it leaves the origins to this.
  cors_configuration = {
    allow_origins  = var.lambda.cors_origins
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
  http_apis      = { for api in module.api : api.name => api.id }
  functions      = module.function[*].name
  tables         = [module.users.name, module.urls.name]
  tags           = var.tags

  alarms = concat(
    [module.users.alarms, module.urls.alarms],
    module.function[*].alarms,
    module.api[*].alarms,
  )
}
