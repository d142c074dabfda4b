output "arn" {
  description = "ARN of the bucket, for the policies of those who work with it."
  value       = aws_s3_bucket.this.arn
}

output "bucket" {
  description = "Name of the bucket, as environment.yaml has it."
  value       = aws_s3_bucket.this.id
}
