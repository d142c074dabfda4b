# What no module makes, and this app alone needs.
resource "aws_sns_topic" "notes" {
  #checkov:skip=CKV_AWS_26:Nothing is published here.
  name = "${local.name}-notes"
  tags = var.tags
}
