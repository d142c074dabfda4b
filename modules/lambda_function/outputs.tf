output "alias" {
  description = "The alias live: its ARN, the ARN that API Gateway calls, and its name."
  value = {
    arn        = aws_lambda_alias.live.arn
    invoke_arn = aws_lambda_alias.live.invoke_arn
    name       = aws_lambda_alias.live.name
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
