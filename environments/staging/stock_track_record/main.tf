module "stock_track_record" {
  source = "../../../modules/apps/stock_track_record"

  suffix  = "staging"
  region  = var.environment.region
  memory  = 512
  timeout = 30

  worker_timeout     = 60
  worker_concurrency = 5
  visibility_timeout = 360

  logs_days = 14

  point_in_time_recovery = true
  deletion_protection    = false

  # A sample: name the origin of your own frontend.
  frontend_origins = coalesce(var.cors_origins, ["https://staging.example.com"])
  throttling       = { rate = 200, burst = 200 }

  # Everybody may call; var.environment.jwt asks for tokens of the environment's issuer.
  jwt = null

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
