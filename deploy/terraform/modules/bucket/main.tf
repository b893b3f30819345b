# One S3 bucket: versioned, encrypted, private, over TLS only, with its rules for old objects and its access log.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Each bucket has an access log (logging.tf), except the bucket of the logs itself and that of Terraform's state
  #checkov:skip=CKV_AWS_144:Buckets are copied to the region that replica_region names (replication.tf); logs and copies are not
  #checkov:skip=CKV_AWS_145:Only access logs and the pages that everybody may read lack a KMS key; S3 can't write logs with one
  #checkov:skip=CKV2_AWS_62:No consumer needs event notifications
  bucket        = var.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.encrypted # one KMS call for many objects

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.encrypted ? "aws:kms" : "AES256"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "tls" {
  bucket     = aws_s3_bucket.this.id
  depends_on = [aws_s3_bucket_public_access_block.this] # S3 refuses to change both at once

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "DenyPlaintext"
        Effect    = "Deny"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
        Principal = { AWS = "*" }
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for source in var.logs_of : {
        Sid       = "WriteLogsOf${replace(title(replace(source.name, "-", " ")), " ", "")}"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.this.arn}/${source.name}/*"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Condition = {
          ArnLike      = { "aws:SourceArn" = source.arn }
          StringEquals = { "aws:SourceAccount" = source.account_id }
        }
      }],
    )
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket     = aws_s3_bucket.this.id
  depends_on = [aws_s3_bucket_versioning.this]

  rule {
    id     = "expire-replaced-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.replaced_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.classes

    content {
      id     = "move-to-${lower(replace(rule.key, "_", "-"))}"
      status = "Enabled"

      filter {}

      transition {
        days          = rule.value
        storage_class = rule.key
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_days == null ? [] : [var.expire_days]

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  count         = var.log == null ? 0 : 1
  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log.bucket
  target_prefix = "${var.log.name}/"
}
