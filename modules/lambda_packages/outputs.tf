output "layers" {
  description = "Where the layer of each function lies in S3, by function; null for one that goes in the call, and without a layer."
  value = {
    for function, package in var.packages : function => try(package.layer.upload, "direct") != "s3" ? null : {
      bucket = aws_s3_object.this[trimsuffix(basename(package.layer.path), ".zip")].bucket
      key    = aws_s3_object.this[trimsuffix(basename(package.layer.path), ".zip")].key
    }
  }
}

output "objects" {
  description = "Where the package of each function lies in S3, by function; null for one that goes in the call."
  value = {
    for function, package in var.packages : function => package.upload != "s3" ? null : {
      bucket = aws_s3_object.this[trimsuffix(basename(package.path), ".zip")].bucket
      key    = aws_s3_object.this[trimsuffix(basename(package.path), ".zip")].key
    }
  }
}
