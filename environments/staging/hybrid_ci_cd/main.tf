module "hybrid_ci_cd" {
  source = "../../../modules/apps/hybrid_ci_cd"

  stage   = "staging"
  memory  = 512
  timeout = 30

  logs_days = 7

  point_in_time_recovery = true
  deletion_protection    = false

  cors_origins = coalesce(var.cors_origins, ["*"])
  throttling   = { rate = 200, burst = 200 }

  # As in production.
  session_key_sha256 = null

  # Null is what is decided here; an operator says otherwise with -var.
  reserved_concurrency = var.lambda_reserved_concurrency
  capacity = {
    billing_mode   = var.dynamodb_billing_mode
    read_capacity  = var.dynamodb_read_capacity
    write_capacity = var.dynamodb_write_capacity
  }

  alarm_email     = var.environment.alarm_email
  production      = var.environment.production
  packages        = var.packages
  packages_bucket = var.environment.packages_bucket
}
