# The conditions of the rules.

locals {
  # Requests whose body is support text. A customer may quote SQL, HTML, a path or an attack, so no rule looks into these
  # bodies: the services take them as strict JSON, pass them to DynamoDB and Qdrant as values, and the page inserts them
  # as text. All other requests have no body, and one that has is refused.
  texts = {
    ticket   = "^${local.start}/api/v1/tickets(/[^/]+(/comments|/close)?)?$"
    question = "^${local.start}/api/v1/(search|answers(/[^/]+/feedback)?)$"
  }

  start = var.stage == "" ? "" : "(${var.stage})?"

  # Content-Length is text, so a regular expression compares it: longer, or greater in the first digit that differs.
  above = { for kind, bytes in { ticket = var.ticket_bytes, question = var.body_bytes } : kind => format(
    "^0*([1-9][0-9]{%d,}|%s)$",
    length(tostring(bytes)),
    join("|", [for at, digit in split("", tostring(bytes)) : format(
      "%s[%d-9][0-9]{%d}", substr(tostring(bytes), 0, at), tonumber(digit) + 1, length(tostring(bytes)) - at - 1,
    ) if digit != "9"]),
  ) }

  # Bytes. WAF inspects only the first 8 KiB and the first 200 of the headers, so `headers` refuses a request with more.
  # API Gateway takes 10 KiB.
  longest = { uri_path = 1024, query_string = 4096, headers = 8192 }

  # AWS's own groups, and their rules that only count: those on bodies (support text), on file endings (a ticket's id may
  # end in .log or .bak), on long queries (bounded here) and on missing user agents (a client need not name itself). AWS
  # ignores a name that its version of the group lacks.
  managed = {
    core = {
      group = "AWSManagedRulesCommonRuleSet"
      counted = [
        "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY",
        "NoUserAgent_HEADER", "RestrictedExtensions_URIPATH", "SizeRestrictions_QUERYSTRING",
      ]
    }
    sql        = { group = "AWSManagedRulesSQLiRuleSet", counted = ["SQLi_BODY", "SQLiExtendedPatterns_BODY"] }
    bad-inputs = { group = "AWSManagedRulesKnownBadInputsRuleSet", counted = ["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"] }
  }

  refusals = {
    origin     = { status = 403, title = "The caller may not do this", problem = "forbidden", detail = "Send the request to the service's public address." }
    flood      = { status = 429, title = "Too many requests", problem = "too-many-requests", detail = "Your address has sent too many requests in five minutes." }
    too-large  = { status = 413, title = "The request is too large", problem = "too-large", detail = "The body is larger than this request may have." }
    stray-body = { status = 400, title = "The request can't be read", problem = "bad-request", detail = "This request takes no body." }
    too-long   = { status = 400, title = "The request can't be read", problem = "bad-request", detail = "The path, the query or the headers, such as the access token, are too long." } # the services say 431, which WAF doesn't know
    sql        = { status = 403, title = "The caller may not do this", problem = "forbidden", detail = "The path or the query looks like SQL." }
    script     = { status = 403, title = "The caller may not do this", problem = "forbidden", detail = "The path or the query looks like a script." }
  }

  # A metric's name has letters, digits, hyphens and underscores.
  metric = var.name
}
