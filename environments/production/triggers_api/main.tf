module "triggers_api" {
  source = "../../../modules/apps/triggers_api"

  stage       = "prod"
  memory_size = 512
  timeout     = 30

  logs_retention_in_days = 90

  point_in_time_recovery_enabled = true
  deletion_protection_enabled    = true

  # A sample: name the origins of your own pages.
  cors_origins = coalesce(var.cors_origins, ["https://app.example.com"])
  throttling   = { rate_limit = 1000, burst_limit = 500 }

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
