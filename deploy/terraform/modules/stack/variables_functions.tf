# Variables of the Lambda functions.

variable "functions" {
  description = <<-TEXT
    The Lambda functions of docs/lambdas.md; they need `services`. null: none of them. `zips` is the folder of
    `make lambda-zip`, and `architecture` what they were built for. `raw` creates the function `transformation`: `map` names
    the fields, and it gets the events of `event_sources` on EventBridge's default bus and the notifications of `buckets`,
    whose objects have the KMS key `key_arn`, if any.
  TEXT
  type = object({
    zips         = string
    architecture = optional(string, "x86_64")
    raw = optional(object({
      map           = string
      event_sources = optional(list(string), [])
      buckets       = optional(list(string), [])
      key_arn       = optional(string)
    }))
  })
  default = null

  validation {
    condition     = var.functions == null || var.kafka.authentication == "iam"
    error_message = "functions need kafka.authentication = \"iam\": a function gets no secret in its environment."
  }
}

variable "sign_in" {
  description = <<-TEXT
    A Cognito user pool that issues the access tokens, in place of `services.issuer`; it needs `functions`. null: none.
    `domain_prefix` is that of Cognito's sign-in pages, `callback_urls` and `logout_urls` are those of the page, and
    `identity_providers` your own directories (modules/sign_in).
  TEXT
  type = object({
    domain_prefix = string
    callback_urls = list(string)
    logout_urls   = optional(list(string), [])
    mfa           = optional(string, "OPTIONAL")
    identity_providers = optional(map(object({
      type       = string
      details    = map(string)
      attributes = optional(map(string), { email = "email" })
    })), {})
  })
  default = null

  validation {
    condition     = var.sign_in == null || var.functions != null
    error_message = "sign_in needs functions: without pre_token no token has a tenant."
  }
}

variable "gateway" {
  description = <<-TEXT
    The REST API in Amazon API Gateway; it needs `functions` and `sign_in`. null: none. `programs` has the requests per
    second, burst and requests per day by program, each of which gets a key; `limits` those of an operation. `proxies` is 1 for API
    Gateway alone, 2 behind CloudFront. Answers are streamed by a stack of CloudFormation unless `stream_answers` is false.
  TEXT
  type = object({
    programs         = optional(map(object({ rate = optional(number, 10), burst = optional(number, 20), per_day = optional(number, 100000) })), {})
    limits           = optional(object({ rate = number, burst = number }), { rate = 100, burst = 200 })
    proxies          = optional(number, 1)
    stream_answers   = optional(bool, true)
    set_account_role = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.gateway == null || (var.functions != null && var.sign_in != null)
    error_message = "gateway needs functions and sign_in: it calls the functions, and takes the pool's tokens only."
  }
}

variable "workflow" {
  description = <<-TEXT
    The workflow of new tickets (docs/workflow.md); it needs `functions`. null: none. Its steps get their tokens from
    `sign_in`, or from `token_url`. `subscribers` get every decision, and `settings` are those of the steps
    (TICKETS_WORKFLOW__NEW_STATUSES, TICKETS_WORKFLOW__SPAM_CATEGORIES).
  TEXT
  type = object({
    token_url   = optional(string)
    subscribers = optional(list(string), [])
    settings    = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.workflow == null || (var.functions != null && (var.sign_in != null || try(var.workflow.token_url, null) != null))
    error_message = "workflow needs functions, and sign_in or a token_url: its steps ask the RAG service with a token of each ticket's tenant."
  }
}

variable "canary" {
  description = <<-TEXT
    A function that asks the public address a question every five minutes, as a user does, and alarms; it needs `gateway`.
    null: none. `url` is the public address, by default that of `gateway`. `question` is one that a solved ticket of its
    user's tenant answers.
  TEXT
  type = object({
    url      = optional(string)
    question = optional(string)
  })
  default = null

  validation {
    condition     = var.canary == null || var.gateway != null
    error_message = "canary needs gateway: it signs in at its user pool, and asks through it."
  }
}
