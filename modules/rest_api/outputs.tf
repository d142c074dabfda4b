output "alarms" {
  description = "Names of the alarms that a composite alarm may tell of, by what they say together: failing."
  value       = { for said, names in local.composed : said => [for name in names : aws_cloudwatch_metric_alarm.this[name].alarm_name] }
}

output "arn" {
  description = "ARN of the API."
  value       = aws_api_gateway_rest_api.this.arn
}

output "id" {
  description = "Id of the API."
  value       = aws_api_gateway_rest_api.this.id
}

output "name" {
  description = "Name of the API."
  value       = aws_api_gateway_rest_api.this.name
}

output "source_arn" {
  description = "ARN that a function's permission names as the caller: any method and path of this stage, since the function routes."
  value       = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage_name}/*"
}

output "stage" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "Address of the stage, without a slash at the end."
  value       = aws_api_gateway_stage.this.invoke_url
}
