module "triggers_api" {
  source = "../../../modules/apps/triggers_api"

  stage       = "dev"
  release     = "direct"
  memory_size = 512
  timeout     = 30

  log_level              = "DEBUG"
  logs_retention_in_days = 7

  point_in_time_recovery_enabled = false
  deletion_protection_enabled    = false

  cors_origins = coalesce(var.cors_origins, ["*"])
  throttling   = { rate_limit = 50, burst_limit = 100 }

  # Null is what is decided here; an operator says otherwise with -var.
  reserved_concurrent_executions = var.lambda_reserved_concurrency
  capacity = {
    billing_mode   = var.dynamodb_billing_mode
    read_capacity  = var.dynamodb_read_capacity
    write_capacity = var.dynamodb_write_capacity
  }

  alarm_email          = var.environment.alarm_email
  alarms_unheard       = var.environment.alarms_unheard
  permissions_boundary = var.environment.permissions_boundary
  production           = var.environment.production
  packages             = var.packages
  packages_bucket      = var.environment.packages_bucket
}
