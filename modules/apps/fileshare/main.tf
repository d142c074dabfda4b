locals {
  name       = "file-sharing-app-${var.stage}"
  parameters = "/fileshare/${var.stage}"

  deletion_protection = coalesce(var.deletion_protection, var.production)
}

module "users" {
  source = "../../dynamodb_table"

  name = "${local.name}-users"
  key  = { hash = "user_id" }
  indexes = {
    "email-index" = { hash = "email" }
  }
  encryption             = "aws-managed"
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = local.deletion_protection
  override               = var.capacity
  alarm_topics           = [module.observability.topic]
}

module "urls" {
  source = "../../dynamodb_table"

  name = "${local.name}-urls"
  key  = { hash = "short_code" }
  indexes = {
    "user-index" = { hash = "created_by_user" }
  }
  ttl                    = "expires_at_ttl"
  encryption             = "aws-managed"
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = local.deletion_protection
  override               = var.capacity
  alarm_topics           = [module.observability.topic]
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
}

# What is too large for a call, or is to go through S3, is uploaded once for all functions.
module "packages" {
  source = "../../lambda_packages"

  name     = local.name
  bucket   = var.packages_bucket
  packages = var.lambda == null ? {} : var.packages
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

  name                    = local.name
  description             = "Answers every route of fileshare."
  package                 = var.packages["api"]
  object                  = module.packages.objects["api"]
  layers                  = module.layer[*].arn
  memory                  = var.lambda.memory
  timeout                 = var.lambda.timeout
  reserved_concurrency    = var.lambda.reserved_concurrency
  provisioned_concurrency = var.lambda.provisioned_concurrency
  tracing                 = var.lambda.tracing
  alarm_topics            = [module.observability.topic]

  logs = {
    retention_days = var.lambda.logs_days
    level          = var.lambda.log_level
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

  name         = local.name
  description  = "Users, links and the premium trial of fileshare."
  invoke_arn   = module.function[0].invoke_arn
  production   = var.production
  open_writes  = var.lambda.open_writes
  throttling   = var.lambda.throttling
  access_logs  = { retention_days = var.lambda.logs_days }
  alarm_topics = [module.observability.topic]
  # The backend asks for its own tokens, in both of its forms.
  jwt = null

  routes = {
    # Whoever signs up has no token yet.
    "POST /api/users" = { throttling = var.lambda.sign_up_throttling }
    "$default"        = { checked = true }
  }

  # The same words as the backend's own, which counts where no gateway stands in front; here it leaves the origins to this.
  cors = {
    origins         = var.lambda.cors_origins
    methods         = ["GET", "POST", "DELETE", "OPTIONS"]
    headers         = ["Authorization", "Content-Type", "X-Request-ID"]
    exposed_headers = ["X-Request-ID", "Retry-After"]
    max_age         = 3600
  }
}

module "observability" {
  source = "../../observability"

  name      = local.name
  email     = var.alarm_email
  http_apis = { for api in module.api : api.name => api.id }
  functions = module.function[*].name
  tables    = [module.users.name, module.urls.name]
}
