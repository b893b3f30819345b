output "names" {
  description = "Names of the buckets (archive, feedback, logs)."
  value       = merge({ for name, bucket in module.bucket : name => bucket.bucket }, { logs = module.logs.bucket })
}

output "arns" {
  description = "ARNs of the buckets (archive, feedback, logs)."
  value       = merge({ for name, bucket in module.bucket : name => bucket.arn }, { logs = module.logs.arn })
}

output "copied" {
  description = "Names of the source and target bucket of each copy, as in S3's metrics."
  value       = var.replica == null ? {} : { for name, bucket in module.bucket : name => { source = bucket.bucket, target = split(":::", var.replica.buckets[name])[1] } }
}
