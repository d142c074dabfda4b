# Three kinds, by who owns the value: Terraform (parameters), operators (switches), and operators in secret (secrets).
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

module "plain" {
  source = "../plain_value"
  for_each = merge(
    { for name, parameter in var.parameters : name => parameter.value },
    { for name, switch in var.switches : name => switch.initial },
  )

  plain = {
    name = each.key
    # Terraform shows what a refusal looked at, unless it is sensitive.
    value   = sensitive(each.value)
    place   = contains(keys(var.parameters), each.key) ? "parameters" : "switches"
    instead = "put it into secrets."
  }
}

resource "aws_ssm_parameter" "this" {
  #checkov:skip=CKV_AWS_337:Plain on purpose: what is secret stands under secrets.
  #checkov:skip=CKV2_AWS_34:Plain on purpose: what is secret stands under secrets.
  for_each = var.parameters

  name           = each.key
  description    = each.value.description
  type           = "String"
  insecure_value = each.value.value
  tags           = var.tags
}

resource "aws_ssm_parameter" "switch" {
  #checkov:skip=CKV_AWS_337:Plain on purpose: what is secret stands under secrets.
  #checkov:skip=CKV2_AWS_34:Plain on purpose: what is secret stands under secrets.
  for_each = var.switches

  name           = each.key
  description    = each.value.description
  type           = "String"
  insecure_value = each.value.initial
  tags           = var.tags

  lifecycle {
    # Operators own the value after the first apply.
    ignore_changes = [insecure_value]
  }
}

resource "aws_ssm_parameter" "secret" {
  #checkov:skip=CKV_AWS_337:The account's own key encrypts unless key_arn names another.
  for_each = var.secrets

  name        = each.key
  description = each.value.description
  type        = "SecureString"
  key_id      = each.value.key_id
  # Written once and never read back, so that no state and no plan holds it.
  value_wo         = lookup(var.secret_values, each.key, "unset")
  value_wo_version = each.value.value_wo_version
  tags             = var.tags
}
