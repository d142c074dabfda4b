locals {
  name = "sample-${var.stage}"
}

module "notes" {
  source = "../../dynamodb_table"

  name                           = "sample-notes-${var.stage}"
  hash_key                       = "name"
  deletion_protection_enabled    = var.production
  point_in_time_recovery_enabled = var.point_in_time_recovery_enabled
  override                       = var.capacity
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags
}

module "packages" {
  source = "../../lambda_packages"

  name     = local.name
  bucket   = var.packages_bucket
  packages = var.packages
  tags     = var.tags
}

module "layer" {
  source = "../../lambda_layer"
  count  = length(var.packages["api"].layer[*])

  name         = "${local.name}-dependencies"
  package      = var.packages["api"].layer
  object       = module.packages.layers["api"]
  runtime      = var.packages["api"].runtime
  architecture = var.packages["api"].architecture
}

module "function" {
  source = "../../lambda_function"

  name                           = local.name
  package                        = var.packages["api"]
  object                         = module.packages.objects["api"]
  layers                         = module.layer[*].arn
  permissions_boundary           = var.permissions_boundary
  release                        = var.release
  reserved_concurrent_executions = var.reserved_concurrent_executions
  environment                    = { NOTES_TABLE = module.notes.name }
  alarm_topics                   = [module.observability.topic]
  composed_alarms                = true
  tags                           = var.tags

  triggers = {
    api = { principal = "apigateway.amazonaws.com", source_arn = module.api.source_arn }
  }

  grants = [
    module.notes.grants.get_item,
    module.notes.grants.put_item,
  ]
}

module "api" {
  source = "../../http_api"

  name               = local.name
  invoke_arn         = module.function.invoke_arn
  production         = var.production
  routes             = { "$default" = {} }
  cors_configuration = { allow_origins = var.cors_origins }
  alarm_topics       = [module.observability.topic]
  composed_alarms    = true
  tags               = var.tags
}

module "observability" {
  source = "../../observability"

  name           = local.name
  email          = var.alarm_email
  alarms_unheard = var.alarms_unheard
  production     = var.production
  http_apis      = { (module.api.name) = module.api.id }
  functions      = [module.function.name]
  tables         = [module.notes.name]
  tags           = var.tags

  alarms = [
    module.notes.alarms,
    module.function.alarms,
    module.api.alarms,
  ]
}
