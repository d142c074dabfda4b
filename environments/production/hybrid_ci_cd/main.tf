module "hybrid_ci_cd" {
  source = "../../../modules/apps/hybrid_ci_cd"

  stage       = "production"
  memory_size = 1024
  timeout     = 30

  logs_retention_in_days = 30

  point_in_time_recovery_enabled = true
  deletion_protection_enabled    = true

  autoscaling = {
    read  = { min_capacity = 20, max_capacity = 200 }
    write = { min_capacity = 20, max_capacity = 200 }
  }

  # A sample: name the origins of your own pages.
  cors_origins = coalesce(var.cors_origins, ["https://app.example.com"])
  throttling   = { rate_limit = 1000, burst_limit = 500 }

  # Whoever reaches POST /auth/session gets a session of any user. That is what the clients that exist need, because they
  # send no key. As soon as a login service of your own makes the sessions, set the SHA-256 of its key, which it sends as
  # X-Session-Key, and take open_sessions away.
  session_key_sha256 = null
  open_sessions      = true

  # Workers to keep warm; null, because the traffic of a day keeps enough of them.
  provisioned_concurrent_executions = null

  # Null is what is decided here; an operator says otherwise with -var.
  reserved_concurrent_executions = coalesce(var.lambda_reserved_concurrency, 100)
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
