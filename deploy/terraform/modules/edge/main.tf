# The distribution: the page from its bucket, and /api/* from the API, under one domain.

locals {
  # AWS's own policies, which are the same in every account.
  no_cache         = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" # Managed-CachingDisabled
  all_but_the_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac" # Managed-AllViewerExceptHostHeader

  # CloudFront would keep an error of the API for ten seconds and give it to others who ask for the same path: the cache
  # knows no tokens. With a page for an error, it would also replace the API's problem documents, so only an origin that
  # can't be reached has one; the API itself never answers 502.
  errors = [400, 403, 404, 405, 414, 416, 500, 501, 503, 504]

  # services/http/pages.py sends the same; a test compares them.
  connects       = concat(["'self'"], [for url in compact([var.page.token_url]) : regex("^https?://[^/]+", url)])
  content_policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; connect-src ${join(" ", local.connects)}"
}

resource "aws_cloudfront_origin_access_control" "pages" {
  name                              = "${var.global_name}-pages"
  description                       = "Reads the bucket of the page."
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# S3's Cache-Control decides, within these bounds: a new page is there at once, a file named by its content for a year.
resource "aws_cloudfront_cache_policy" "this" {
  for_each    = { page = { default_s = 0, max_s = 86400 }, static = { default_s = 86400, max_s = 31536000 } }
  name        = "${var.global_name}-${each.key}"
  comment     = "Files of the page, compressed for those who take it."
  min_ttl     = 0
  default_ttl = each.value.default_s
  max_ttl     = each.value.max_s

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "page" {
  #checkov:skip=CKV_AWS_259:HSTS is on for two years; preloading would bind the whole parent domain, which its owner has to decide
  name    = "${var.global_name}-page"
  comment = "Security headers of the page."

  security_headers_config {
    content_security_policy {
      content_security_policy = local.content_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      override                   = true
    }
  }

  custom_headers_config {
    dynamic "items" {
      for_each = {
        Cross-Origin-Opener-Policy   = "same-origin"
        Cross-Origin-Resource-Policy = "same-origin"
        Permissions-Policy           = "camera=(), geolocation=(), microphone=(), payment=()"
      }

      content {
        header   = items.key
        value    = items.value
        override = true
      }
    }
  }
}

# The API's own headers stay; it doesn't know that it is reached over TLS only.
resource "aws_cloudfront_response_headers_policy" "api" {
  #checkov:skip=CKV_AWS_259:HSTS is on for two years; preloading would bind the whole parent domain, which its owner has to decide
  name    = "${var.global_name}-api"
  comment = "Security headers of the API."

  security_headers_config {
    content_type_options {
      override = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_86:The access log is of the newer kind, which the distribution doesn't name (logs.tf)
  #checkov:skip=CKV_AWS_310:The bucket is in one region by design, and the API has its zones; another region is another stack
  #checkov:skip=CKV2_AWS_47:modules/firewall has AWS's known bad inputs, Log4j among them; the scan doesn't see through the input web_acl_arn
  #checkov:skip=CKV_AWS_374:Customers are in any country; blocked_countries refuses some
  comment             = var.name
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  aliases             = [var.domain]
  default_root_object = "index.html"
  price_class         = var.price_class
  web_acl_id          = var.web_acl_arn
  depends_on          = [aws_acm_certificate_validation.this]

  origin {
    origin_id                = "pages"
    domain_name              = aws_s3_bucket.pages.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.pages.id
  }

  origin {
    origin_id   = "api"
    domain_name = var.api.domain
    origin_path = var.api.path

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 60 # a language model begins within it
      origin_keepalive_timeout = 60
    }

    dynamic "custom_header" {
      for_each = nonsensitive(var.origin_secret == null) ? [] : [1]

      content {
        name  = "x-origin-verify"
        value = var.origin_secret
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "pages"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "redirect-to-https"
    cache_policy_id            = aws_cloudfront_cache_policy.this["page"].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page.id
    compress                   = true
  }

  # Compression would hold back the events of an answer.
  ordered_cache_behavior {
    path_pattern               = "/api/*"
    target_origin_id           = "api"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "https-only" # a redirect would come too late: the token was sent in plain text
    cache_policy_id            = local.no_cache
    origin_request_policy_id   = local.all_but_the_host
    response_headers_policy_id = aws_cloudfront_response_headers_policy.api.id
    compress                   = false
  }

  ordered_cache_behavior {
    path_pattern               = "/static/*"
    target_origin_id           = "pages"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    viewer_protocol_policy     = "redirect-to-https"
    cache_policy_id            = aws_cloudfront_cache_policy.this["static"].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page.id
    compress                   = true
  }

  dynamic "custom_error_response" {
    for_each = local.errors

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  custom_error_response {
    error_code            = 502
    error_caching_min_ttl = 0
    response_code         = 502
    response_page_path    = "/unavailable.html"
  }

  restrictions {
    geo_restriction {
      restriction_type = length(var.blocked_countries) > 0 ? "blacklist" : "none"
      locations        = var.blocked_countries
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate.this.arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}
