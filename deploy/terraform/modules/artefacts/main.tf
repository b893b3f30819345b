# The bucket of built models (`ticketstream model build --to`). It never holds a ticket.

module "bucket" {
  source               = "../bucket"
  bucket               = var.bucket
  key_arn              = var.key_arn
  region               = var.region
  force_destroy        = var.force_destroy
  log                  = var.log
  replica              = var.replica
  permissions_boundary = var.permissions_boundary
}

moved {
  from = aws_s3_bucket.this
  to   = module.bucket.aws_s3_bucket.this
}

moved {
  from = aws_s3_bucket_versioning.this
  to   = module.bucket.aws_s3_bucket_versioning.this
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.this
  to   = module.bucket.aws_s3_bucket_server_side_encryption_configuration.this
}

moved {
  from = aws_s3_bucket_public_access_block.this
  to   = module.bucket.aws_s3_bucket_public_access_block.this
}

moved {
  from = aws_s3_bucket_policy.tls
  to   = module.bucket.aws_s3_bucket_policy.tls
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.this
  to   = module.bucket.aws_s3_bucket_lifecycle_configuration.this
}
