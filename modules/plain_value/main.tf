# Refuses what is not a plain value. It makes nothing: the refusals stand at the variable.
locals {
  # The harness reads the same file, for what environment.yaml says.
  patterns = jsondecode(file("${path.module}/patterns.json"))
}
