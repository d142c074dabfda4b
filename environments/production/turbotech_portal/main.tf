module "turbotech_portal" {
  source = "../../../modules/apps/turbotech_portal"

  stage       = "prod"
  memory_size = 1024
  timeout     = 30

  logs_retention_in_days = 90

  point_in_time_recovery_enabled = true
  deletion_protection_enabled    = true

  # AWS Lambda Web Adapter 1.1.0 for x86_64, as its makers publish it in every region; the local AWS cannot start it.
  web_adapter = var.environment.local ? null : {
    layer_arn = "arn:aws:lambda:${var.environment.region}:753240598075:layer:LambdaAdapterLayerX86:30"
  }

  jwt         = var.environment.jwt
  public_docs = false

  # A sample: name the origins of your own pages.
  cors_origins = coalesce(var.cors_origins, ["https://portal.example.com"])
  throttling   = { rate_limit = 200, burst_limit = 200 }

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
