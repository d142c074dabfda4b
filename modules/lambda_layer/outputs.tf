output "arn" {
  description = "ARN of the version, as a function takes it among its layers."
  value       = aws_lambda_layer_version.this.arn
}

output "version" {
  description = "Number of the version."
  value       = aws_lambda_layer_version.this.version
}
