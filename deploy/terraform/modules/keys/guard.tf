# Where data is kept, a plan that destroys or replaces a key is refused. Nobody reads what it encrypts without it, and its
# users may stay behind: a bucket that isn't empty, a copy in another region, a backup.

resource "terraform_data" "keeps_keys" {
  for_each         = { for purpose, key in aws_kms_key.this : purpose => key.arn if var.keep_data }
  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
