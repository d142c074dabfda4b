"""The local AWS: emulators on loopback that Terraform, boto3 and the AWS CLI take for AWS."""
