output "alarms" {
  description = "Names of the alarms that a composite alarm may tell of, by what they say together: failing and throttled."
  value       = { for said, names in local.composed : said => [for name in names : aws_cloudwatch_metric_alarm.this[name].alarm_name] }
}

output "alias" {
  description = "The alias live: its ARN and its name."
  value = {
    arn  = aws_lambda_alias.live.arn
    name = aws_lambda_alias.live.name
  }
}

output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "grants" {
  description = "Permissions on the function for a role's list of grants: invoke, on the alias live."
  value = {
    invoke = { actions = ["lambda:InvokeFunction"], resources = ["${local.arn}:live"], key = null }
  }
}

output "invoke_arn" {
  description = "ARN by which API Gateway calls the alias live, built from names, so that an API does not wait for the function."
  value       = "arn:${data.aws_partition.current.partition}:apigateway:${local.region}:lambda:path/2015-03-31/functions/${local.arn}:live/invocations"
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "pin" {
  description = "Name of the parameter that says which version live points at."
  value       = aws_ssm_parameter.live.name
}

output "role" {
  description = "The function's role: its ARN and its name."
  value = {
    arn  = aws_iam_role.this.arn
    name = aws_iam_role.this.name
  }
}

output "url" {
  description = "The function URL, null without one."
  value       = one(aws_lambda_function_url.live[*].function_url)
}
