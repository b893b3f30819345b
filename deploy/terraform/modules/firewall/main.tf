# The web application firewall, for a distribution or for a REST API.

resource "aws_wafv2_web_acl" "this" {
  name  = var.name
  scope = var.scope

  default_action {
    allow {}
  }

  dynamic "custom_response_body" {
    for_each = local.refusals

    content {
      key          = custom_response_body.key
      content_type = "APPLICATION_JSON"
      content = jsonencode({
        type   = "urn:ticketstream:problem:${custom_response_body.value.problem}"
        title  = custom_response_body.value.title
        status = custom_response_body.value.status
        detail = custom_response_body.value.detail
      })
    }
  }

  # Requests must come through the distribution, whose firewall has seen the sender's own address.
  dynamic "rule" {
    for_each = nonsensitive(var.origin_secret == null) ? [] : ["origin"]

    content {
      name     = rule.value
      priority = 0

      action {
        block {
          custom_response {
            response_code            = local.refusals.origin.status
            custom_response_body_key = rule.value
          }
        }
      }

      statement {
        not_statement {
          statement {
            byte_match_statement {
              search_string         = var.origin_secret
              positional_constraint = "EXACTLY"

              field_to_match {
                single_header {
                  name = "x-origin-verify"
                }
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.value
        sampled_requests_enabled   = false
      }
    }
  }

  dynamic "rule" {
    for_each = var.requests_per_address == null ? [] : ["flood"]

    content {
      name     = rule.value
      priority = 10

      action {
        block {
          custom_response {
            response_code            = local.refusals.flood.status
            custom_response_body_key = rule.value

            response_header {
              name  = "Retry-After"
              value = "300"
            }
          }
        }
      }

      statement {
        rate_based_statement {
          limit                 = var.requests_per_address
          evaluation_window_sec = 300
          aggregate_key_type    = "IP"
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.value
        sampled_requests_enabled   = false
      }
    }
  }

  # Which requests have support text as their body.
  dynamic "rule" {
    for_each = local.texts

    content {
      name     = "is-${rule.key}"
      priority = 20 + index(keys(local.texts), rule.key)

      action {
        count {}
      }

      rule_label {
        name = "text"
      }

      rule_label {
        name = rule.key
      }

      statement {
        and_statement {
          statement {
            regex_match_statement {
              regex_string = "^(POST|PATCH)$"

              field_to_match {
                method {}
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }

          statement {
            regex_match_statement {
              regex_string = rule.value

              field_to_match {
                uri_path {}
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "is-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  # A body without a Content-Length is bounded by the services.
  dynamic "rule" {
    for_each = local.above

    content {
      name     = "too-large-${rule.key}"
      priority = 30 + index(keys(local.above), rule.key)

      action {
        block {
          custom_response {
            response_code            = local.refusals.too-large.status
            custom_response_body_key = "too-large"
          }
        }
      }

      statement {
        and_statement {
          statement {
            regex_match_statement {
              regex_string = rule.value

              field_to_match {
                single_header {
                  name = "content-length"
                }
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }

          statement {
            label_match_statement {
              scope = "LABEL"
              key   = rule.key
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "too-large-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  rule {
    name     = "stray-body"
    priority = 40

    action {
      block {
        custom_response {
          response_code            = local.refusals.stray-body.status
          custom_response_body_key = "stray-body"
        }
      }
    }

    statement {
      and_statement {
        statement {
          size_constraint_statement {
            comparison_operator = "GT"
            size                = 0

            field_to_match {
              body {
                oversize_handling = "MATCH"
              }
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }

        statement {
          not_statement {
            statement {
              label_match_statement {
                scope = "LABEL"
                key   = "text"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "stray-body"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "too-long"
    priority = 50

    action {
      block {
        custom_response {
          response_code            = local.refusals.too-long.status
          custom_response_body_key = "too-long"
        }
      }
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = local.longest

          content {
            size_constraint_statement {
              comparison_operator = "GT"
              size                = statement.value

              field_to_match {
                dynamic "uri_path" {
                  for_each = statement.key == "uri_path" ? [1] : []
                  content {}
                }

                dynamic "query_string" {
                  for_each = statement.key == "query_string" ? [1] : []
                  content {}
                }

                dynamic "headers" {
                  for_each = statement.key == "headers" ? [1] : []

                  content {
                    match_scope       = "ALL"
                    oversize_handling = "MATCH"

                    match_pattern {
                      all {}
                    }
                  }
                }
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "too-long"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "sql"
    priority = 60

    action {
      block {
        custom_response {
          response_code            = local.refusals.sql.status
          custom_response_body_key = "sql"
        }
      }
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = toset(["query_string", "uri_path"])

          content {
            sqli_match_statement {
              sensitivity_level = "LOW" # HIGH takes texts with an apostrophe for SQL

              field_to_match {
                dynamic "uri_path" {
                  for_each = statement.key == "uri_path" ? [1] : []
                  content {}
                }

                dynamic "query_string" {
                  for_each = statement.key == "query_string" ? [1] : []
                  content {}
                }
              }

              text_transformation {
                priority = 0
                type     = "URL_DECODE"
              }

              text_transformation {
                priority = 1
                type     = "HTML_ENTITY_DECODE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "sql"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "script"
    priority = 70

    action {
      block {
        custom_response {
          response_code            = local.refusals.script.status
          custom_response_body_key = "script"
        }
      }
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = toset(["query_string", "uri_path"])

          content {
            xss_match_statement {
              field_to_match {
                dynamic "uri_path" {
                  for_each = statement.key == "uri_path" ? [1] : []
                  content {}
                }

                dynamic "query_string" {
                  for_each = statement.key == "query_string" ? [1] : []
                  content {}
                }
              }

              text_transformation {
                priority = 0
                type     = "URL_DECODE"
              }

              text_transformation {
                priority = 1
                type     = "HTML_ENTITY_DECODE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "script"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed

    content {
      name     = "managed-${rule.key}"
      priority = 100 + index(sort(keys(local.managed)), rule.key)

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.group

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "managed-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  # Samples would show access tokens and customers' ids; the log is enough.
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.metric
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each     = var.protects
  resource_arn = each.value
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}
