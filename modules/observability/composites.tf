# One alarm for what has one cause and would ring many: its parts tell nobody themselves (composed_alarms of their modules).
locals {
  parts = {
    failing   = flatten(var.alarms[*].failing)
    throttled = flatten(var.alarms[*].throttled)
  }

  composites = {
    for said, composite in {
      failing = {
        parts       = local.parts.failing
        description = "${var.name} fails: calls of a function end in an error, or requests are answered with 500 or more. Which part rang, with its own description: aws cloudwatch describe-alarms --state-value ALARM. Then sawhorse smoke ROOT says what still works, and sawhorse releases ROOT what was released last; sawhorse rollback ROOT takes it back."
      }
      throttled = {
        parts       = local.parts.throttled
        description = "AWS turns away calls of ${var.name}: of a table, an index or a function. Which part rang, with its own description: aws cloudwatch describe-alarms --state-value ALARM. Until main.tf says it: sawhorse apply ROOT --var dynamodb_billing_mode=PAY_PER_REQUEST, or --var lambda_reserved_concurrency=N."
      }
    } : said => merge(composite, { rule = join(" OR ", [for name in composite.parts : "ALARM(\"${name}\")"]) }) if length(composite.parts) > 0
  }
}

# CloudWatch deletes no alarm that a composite names, and Terraform deletes what is gone before it updates what named it
# (https://github.com/hashicorp/terraform-provider-aws/issues/34807). So a composite with another rule is made anew, which
# takes the old one away first.
resource "terraform_data" "rule" {
  for_each = local.composites

  input = each.value.rule
}

resource "aws_cloudwatch_composite_alarm" "this" {
  for_each = local.composites

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = each.value.description
  alarm_rule        = each.value.rule
  alarm_actions     = [aws_sns_topic.alarms.arn]
  ok_actions        = [aws_sns_topic.alarms.arn]
  tags              = var.tags

  lifecycle {
    replace_triggered_by = [terraform_data.rule[each.key]]

    precondition {
      condition     = length(each.value.parts) <= 100 && length(each.value.rule) <= 10240
      error_message = "alarms: the composite ${var.name}-${each.key} would name ${length(each.value.parts)} alarms in a rule of ${length(each.value.rule)} characters, and CloudWatch takes 100 in 10240; leave composed_alarms and the output alarms of some modules out."
    }
  }
}
