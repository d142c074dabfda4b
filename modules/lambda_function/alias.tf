# `live` follows this parameter: a version's number, or `latest`. A gated function begins with the number of its first version,
# so that no apply moves it; a release, a rollback or an operator writes the next one, and no later plan sets it back.
resource "aws_ssm_parameter" "live" {
  #checkov:skip=CKV_AWS_337:A version's number is not a secret.
  #checkov:skip=CKV2_AWS_34:A version's number is not a secret.
  name           = "/${var.name}/live"
  description    = "Version that the alias live of ${var.name} points at: a number, or latest."
  type           = "String"
  insecure_value = var.release == "gated" ? aws_lambda_function.this.version : "latest"
  tags           = var.tags

  lifecycle {
    # Operators own the value: a release and a rollback write a number here.
    ignore_changes = [insecure_value]

    postcondition {
      condition     = can(regex("^(latest|[1-9][0-9]*)$", self.insecure_value))
      error_message = "The parameter /${var.name}/live must hold the number of a published version or the word latest; write one of them and plan again."
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that answers."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_ssm_parameter.live.insecure_value == "latest" ? aws_lambda_function.this.version : aws_ssm_parameter.live.insecure_value

  lifecycle {
    # A canary shifts weights.
    ignore_changes = [routing_config]

    precondition {
      condition     = aws_ssm_parameter.live.insecure_value == "latest" ? true : tonumber(aws_ssm_parameter.live.insecure_value) <= tonumber(aws_lambda_function.this.version)
      error_message = "The parameter /${var.name}/live holds ${aws_ssm_parameter.live.insecure_value}, and the last version of ${var.name} is ${aws_lambda_function.this.version}; write the number of a published version or the word latest, and plan again."
    }
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned_concurrent_executions == null ? 0 : 1

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrent_executions
}
