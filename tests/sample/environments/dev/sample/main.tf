module "sample" {
  source = "../../../modules/apps/sample"

  stage   = "dev"
  release = "direct"

  point_in_time_recovery_enabled = false

  cors_origins                   = coalesce(var.cors_origins, ["*"])
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
