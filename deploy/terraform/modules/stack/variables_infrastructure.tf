# Variables of the network, Kafka and the index.

variable "network" {
  description = "CIDR block, zones, NAT gateways and VPC endpoints."
  type = object({
    cidr                = string
    zones               = list(string)
    nat_per_zone        = bool
    interface_endpoints = optional(set(string), [])
  })

  validation {
    condition     = length(distinct(var.network.zones)) == 3
    error_message = "network.zones must name three different availability zones: with two, losing one can lose two of three replicas."
  }
}

variable "kafka" {
  description = "Brokers, their disks, and client authentication: iam, scram, or (in dev) plaintext."
  type = object({
    version        = optional(string, "3.9.x.kraft")
    instance_type  = optional(string, "kafka.m7g.large")
    volume_gib     = number
    volume_max_gib = number
    authentication = optional(string, "iam")
    scram_secrets  = optional(list(string), [])
  })

  validation {
    condition     = contains(["iam", "scram", "plaintext"], var.kafka.authentication)
    error_message = "kafka.authentication must be iam, scram or plaintext."
  }

  validation {
    condition     = var.environment != "prod" || var.kafka.authentication != "plaintext"
    error_message = "kafka.authentication is plaintext, and prod refuses it, because anybody who can reach a broker could read every ticket. Use iam or scram."
  }
}

variable "index" {
  description = "Qdrant's machines and disks, and the certificate of its address."
  type = object({
    instance_type   = string
    cpu             = number
    memory_mib      = number
    volume_gib      = number
    replication     = optional(number, 3)
    certificate_arn = optional(string)
    domain          = optional(string)
  })

  validation {
    condition     = var.index.replication >= 3
    error_message = "index.replication must be 3 or more: with less, losing one node would lose acked tickets or stop writes."
  }

  validation {
    condition     = var.environment != "prod" || var.index.certificate_arn != null
    error_message = "prod needs a certificate for the index (index.certificate_arn and index.domain); without it the API key and the tickets are sent unencrypted."
  }
}
