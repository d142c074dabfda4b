output "api_endpoint" {
  description = "Address of the API, before /api."
  value       = module.stock_track_record.api.url
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.stock_track_record.dashboard
}

output "dynamodb_records_table" {
  description = "Name of the table of channels, picks, track records and jobs."
  value       = module.stock_track_record.tables.records
}

output "dynamodb_stocks_table" {
  description = "Name of the table of stocks and their prices."
  value       = module.stock_track_record.tables.stocks
}

output "lambda_function_name" {
  description = "Name of the function that serves requests."
  value       = module.stock_track_record.function.name
}

output "lambda_role_arn" {
  description = "ARN of the role of the function that serves requests."
  value       = module.stock_track_record.function.role_arn
}

output "log_group" {
  description = "Name of the log group of the function that serves requests."
  value       = module.stock_track_record.function.log_group
}

output "release" {
  description = "How a new version becomes live: gated or direct."
  value       = module.stock_track_record.release
}

output "sqs_dead_letter_queue_url" {
  description = "URL of the queue of messages that could not be worked on."
  value       = module.stock_track_record.queue.dead_letter_url
}

output "sqs_queue_url" {
  description = "URL of the queue of jobs."
  value       = module.stock_track_record.queue.url
}

output "worker_function_name" {
  description = "Name of the function that works on the queue."
  value       = module.stock_track_record.worker.name
}

output "worker_log_group" {
  description = "Name of the worker's log group."
  value       = module.stock_track_record.worker.log_group
}

output "worker_role_arn" {
  description = "ARN of the worker's role."
  value       = module.stock_track_record.worker.role_arn
}
