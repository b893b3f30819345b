# A copy of each new object in another region. A delete is not copied, so that an object that was deleted by mistake, or by
# an attacker in the first region, is still in the second.

resource "aws_s3_bucket_replication_configuration" "this" {
  count      = var.replica == null ? 0 : 1
  bucket     = aws_s3_bucket.this.id
  role       = aws_iam_role.replication[0].arn
  depends_on = [aws_s3_bucket_versioning.this, aws_iam_role_policy.replication]

  rule {
    id     = "copy"
    status = "Enabled"

    filter {}

    delete_marker_replication {
      status = "Disabled"
    }

    # Without it S3 leaves out objects that are encrypted with a KMS key, which are all of them.
    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }

    destination {
      bucket        = var.replica.bucket_arn
      storage_class = "STANDARD_IA"

      encryption_configuration {
        replica_kms_key_id = var.replica.key_arn
      }

      # S3 promises to copy 99.9 % of objects in 15 minutes, and measures it.
      replication_time {
        status = "Enabled"

        time {
          minutes = 15
        }
      }

      metrics {
        status = "Enabled"

        event_threshold {
          minutes = 15
        }
      }
    }
  }
}

resource "aws_iam_role" "replication" {
  count       = var.replica == null ? 0 : 1
  name        = "${var.bucket}-copy"
  description = "S3 copies ${var.bucket} to ${var.replica.region} with this role."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "s3.amazonaws.com" }
      Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.replica.account_id } } # S3 doesn't promise to send it
    }]
  })

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "replication" {
  count = var.replica == null ? 0 : 1
  name  = "copy"
  role  = aws_iam_role.replication[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadRules"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = [aws_s3_bucket.this.arn]
      },
      {
        Sid      = "ReadObjects"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
        Resource = ["${aws_s3_bucket.this.arn}/*"]
      },
      {
        Sid       = "DecryptObjects"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.key_arn]
        Condition = { StringLike = { "kms:ViaService" = ["s3.${var.region}.amazonaws.com"] } }
      },
      {
        Sid      = "WriteCopies"
        Effect   = "Allow"
        Action   = ["s3:ReplicateObject", "s3:ReplicateTags"]
        Resource = ["${var.replica.bucket_arn}/*"]
      },
      {
        Sid       = "EncryptCopies"
        Effect    = "Allow"
        Action    = ["kms:Encrypt", "kms:GenerateDataKey"]
        Resource  = [var.replica.key_arn]
        Condition = { StringLike = { "kms:ViaService" = ["s3.${var.replica.region}.amazonaws.com"] } }
      },
    ]
  })
}
