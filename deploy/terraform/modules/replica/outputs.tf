output "replica" {
  description = "Region, buckets, keys and vault, for the module `stack`."
  value = {
    region   = var.region
    buckets  = { for name, bucket in module.bucket : name => bucket.arn }
    key_arns = module.keys.arns
    vault    = module.vault.arn
  }
}
