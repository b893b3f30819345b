locals {
  ports = { iam = 9098, scram = 9096, plaintext = 9092 }
}

output "arn" {
  description = "ARN of the cluster."
  value       = local.create ? one(aws_msk_cluster.this[*].arn) : var.existing.arn
}

output "name" {
  description = "Name of the cluster, as in its metrics."
  value       = local.create ? one(aws_msk_cluster.this[*].cluster_name) : local.existing_name
}

output "broker_ids" {
  description = "Ids of the brokers, which MSK numbers from 1."
  value       = [for i in range(local.create ? length(var.subnets) : local.existing_count) : tostring(i + 1)]
}

output "port" {
  description = "Port of the brokers for clients."
  value       = local.ports[var.authentication]
}

output "brokers" {
  description = "Bootstrap servers for TICKETS_KAFKA__BROKERS."
  depends_on  = [aws_msk_scram_secret_association.this] # the SCRAM users exist only after this
  value = local.create ? {
    iam       = one(aws_msk_cluster.this[*].bootstrap_brokers_sasl_iam)
    scram     = one(aws_msk_cluster.this[*].bootstrap_brokers_sasl_scram)
    plaintext = one(aws_msk_cluster.this[*].bootstrap_brokers)
  }[var.authentication] : local.existing_brokers
}

output "settings" {
  description = "Settings of the clients, except the brokers' addresses."
  value = {
    iam       = { TICKETS_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", TICKETS_KAFKA__SASL_MECHANISM = "AWS_MSK_IAM" }
    scram     = { TICKETS_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", TICKETS_KAFKA__SASL_MECHANISM = "SCRAM-SHA-512" }
    plaintext = { TICKETS_KAFKA__SECURITY_PROTOCOL = "PLAINTEXT" }
  }[var.authentication]
}
