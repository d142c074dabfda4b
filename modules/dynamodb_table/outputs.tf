output "alarms" {
  description = "Names of the alarms that a composite alarm may tell of, by what they say together: throttled."
  value       = { throttled = [for alarm in values(aws_cloudwatch_metric_alarm.throttles) : alarm.alarm_name] }
}

output "arn" {
  description = "ARN of the table."
  value       = local.table.arn
}

output "grants" {
  description = "Permissions on the table for a role's list of grants: read, write, one an action, query_index and scan_index by index name, and read_stream, null without a stream."
  value       = local.grants
}

output "name" {
  description = "Name of the table."
  value       = local.table.name
}

output "stream_arn" {
  description = "ARN of the stream of changes, null without one."
  value       = var.stream_view_type == null ? null : local.table.stream_arn
}
