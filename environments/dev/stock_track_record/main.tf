module "stock_track_record" {
  source = "../../../modules/apps/stock_track_record"

  stage       = "dev"
  suffix      = "dev"
  release     = "direct"
  region      = var.environment.region
  memory_size = 512
  timeout     = 30

  worker_timeout             = 60
  worker_maximum_concurrency = 2
  visibility_timeout_seconds = 360

  log_level              = "DEBUG"
  logs_retention_in_days = 7

  point_in_time_recovery_enabled = false
  deletion_protection_enabled    = false

  cors_origins = coalesce(var.cors_origins, ["http://localhost:3000"])
  throttling   = { rate_limit = 50, burst_limit = 100 }

  # Everybody may call; var.environment.jwt asks for tokens of the environment's issuer.
  jwt = null

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
