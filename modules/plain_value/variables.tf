variable "plain" {
  description = "The value by its name, the place that it stands in, and what to do with a secret there, in words that end the sentence of a refusal."
  type = object({
    name    = string
    value   = string
    place   = string
    instead = string
  })

  # dbPassword, db-password and /shop/db_password are one name. One that says where a secret lies, or how long it lasts, is none.
  validation {
    condition = alltrue([
      for words in [upper(trim(replace(replace(var.plain.name, "/([a-z0-9])([A-Z])/", "$${1}_$${2}"), "/[^A-Za-z0-9]+/", "_"), "_"))] :
      can(regex(local.patterns.certain_names, words)) ? false :
      !can(regex(join("|", local.patterns.secret_names), words)) || can(regex(join("|", local.patterns.reference_names), words)) ? true :
      can(regex(local.patterns.switch_names, words)) ? can(regex(local.patterns.switch_values, var.plain.value)) : false
    ])
    error_message = "${var.plain.place}: ${var.plain.name} sounds like a secret, and a plain value stands in the state, in plans and in the console for everybody who may look there; ${var.plain.instead}"
  }

  validation {
    condition     = !can(regex(join("|", local.patterns.secret_values), var.plain.value))
    error_message = "${var.plain.place}: the value of ${var.plain.name} looks like a secret (a key, a token, or an address with a password), and a plain value stands in the state, in plans and in the console for everybody who may look there; ${var.plain.instead}"
  }
}
