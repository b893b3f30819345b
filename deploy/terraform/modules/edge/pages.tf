# The page's files, in a bucket that only the distribution reads. Their folder is named by their content, so browsers and
# edge locations may keep them for ever; index.html and config.json are revalidated each time.

locals {
  files   = [for file in setsubtract(fileset(var.pages, "**"), ["index.html", "config.json"]) : file if can(local.types[regex("[^.]+$", file)])]
  version = substr(sha256(join("", [for file in sort(local.files) : filesha256("${var.pages}/${file}")])), 0, 16)

  types = {
    css  = "text/css; charset=utf-8"
    html = "text/html; charset=utf-8"
    js   = "text/javascript; charset=utf-8"
    json = "application/json"
    svg  = "image/svg+xml"
  }

  roots = {
    "index.html"       = replace(file("${var.pages}/index.html"), "/(href|src)=\"(css/|js/|favicon)/", "$1=\"static/${local.version}/$2")
    "config.json"      = jsonencode(merge({ api = "" }, var.page))
    "unavailable.html" = file("${path.module}/unavailable.html")
  }
}

resource "aws_s3_bucket" "pages" {
  #checkov:skip=CKV_AWS_18:The distribution logs each request, and nobody else may read
  #checkov:skip=CKV_AWS_144:The files come from the repository, and an apply in another region writes them again
  #checkov:skip=CKV_AWS_145:Everybody may read the page, so no key keeps its files from anybody
  #checkov:skip=CKV2_AWS_62:No consumer needs event notifications
  bucket        = "${var.global_name}-pages-${var.account_id}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "pages" {
  bucket = aws_s3_bucket.pages.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "pages" {
  bucket = aws_s3_bucket.pages.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "pages" {
  bucket                  = aws_s3_bucket.pages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "pages" {
  bucket     = aws_s3_bucket.pages.id
  depends_on = [aws_s3_bucket_public_access_block.pages] # S3 refuses to change both at once

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlaintext"
        Effect    = "Deny"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.pages.arn, "${aws_s3_bucket.pages.arn}/*"]
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DistributionReads"
        Effect    = "Allow"
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.pages.arn}/*"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
      {
        Sid       = "DistributionSeesThatAFileIsMissing" # 404, where it would be 403
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = aws_s3_bucket.pages.arn
        Principal = { Service = "cloudfront.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
    ]
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "pages" {
  bucket     = aws_s3_bucket.pages.id
  depends_on = [aws_s3_bucket_versioning.pages]

  rule {
    id     = "expire-replaced-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_object" "static" {
  for_each      = toset(local.files)
  bucket        = aws_s3_bucket.pages.id
  key           = "static/${local.version}/${each.key}"
  source        = "${var.pages}/${each.key}"
  source_hash   = filemd5("${var.pages}/${each.key}")
  content_type  = local.types[regex("[^.]+$", each.key)]
  cache_control = "public, max-age=31536000, immutable"
}

# After the files that it names.
resource "aws_s3_object" "root" {
  for_each      = local.roots
  bucket        = aws_s3_bucket.pages.id
  key           = each.key
  content       = each.value
  content_type  = local.types[regex("[^.]+$", each.key)]
  cache_control = "no-cache"
  depends_on    = [aws_s3_object.static]
}
