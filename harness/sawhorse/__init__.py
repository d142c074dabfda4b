"""Build, compose, prove and release serverless applications on DynamoDB."""
