module "fileshare" {
  source = "../../../modules/apps/fileshare"

  stage   = "dev"
  release = "direct"

  point_in_time_recovery_enabled = false
  deletion_protection_enabled    = false

  # The role of the service's tasks, which was there before; null when this account runs no service.
  task_role = "file-sharing-app-dev-flask-app-task-role"

  # The service that alarms watch, such as { cluster = "sharing", name = "flask-app" }; null watches none.
  service = null

  # The backend as a function, beside the service; null when the service alone uses the tables.
  lambda = {
    memory_size            = 512
    timeout                = 30
    logs_retention_in_days = 7
    log_level              = "DEBUG"
    throttling             = { rate_limit = 50, burst_limit = 100 }

    cors_origins = coalesce(var.cors_origins, ["*"])

    # Null is no limit of its own; an operator says otherwise with -var.
    reserved_concurrent_executions = var.lambda_reserved_concurrency
  }

  # Null is what is decided here, on demand; an operator says otherwise with -var.
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
