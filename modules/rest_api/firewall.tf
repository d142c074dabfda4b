# AWS WAF takes stages of REST APIs and no HTTP API: https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html
resource "aws_wafv2_web_acl_association" "stage" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = var.web_acl_arn
}
