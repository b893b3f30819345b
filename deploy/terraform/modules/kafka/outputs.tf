locals {
  ports = { iam = 9098, scram = 9096, plaintext = 9092 }
}

output "arn" {
  value = aws_msk_cluster.this.arn
}

output "name" {
  value = aws_msk_cluster.this.cluster_name
}

output "broker_ids" {
  description = "Ids of the brokers, which MSK numbers from 1."
  value       = [for i in range(length(var.subnets)) : tostring(i + 1)]
}

output "port" {
  description = "Port of the brokers for clients."
  value       = local.ports[var.authentication]
}

output "brokers" {
  description = "Bootstrap servers for TICKETS_KAFKA__BROKERS."
  depends_on  = [aws_msk_scram_secret_association.this] # the SCRAM users exist only after this
  value = {
    iam       = aws_msk_cluster.this.bootstrap_brokers_sasl_iam
    scram     = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
    plaintext = aws_msk_cluster.this.bootstrap_brokers
  }[var.authentication]
}

output "settings" {
  description = "Settings of the clients, except the brokers' addresses."
  value = {
    iam       = { TICKETS_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", TICKETS_KAFKA__SASL_MECHANISM = "AWS_MSK_IAM" }
    scram     = { TICKETS_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", TICKETS_KAFKA__SASL_MECHANISM = "SCRAM-SHA-512" }
    plaintext = { TICKETS_KAFKA__SECURITY_PROTOCOL = "PLAINTEXT" }
  }[var.authentication]
}
