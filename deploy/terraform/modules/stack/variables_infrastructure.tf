# Variables of the network, Kafka and the index.

variable "network" {
  description = <<-TEXT
    CIDR block, zones, NAT gateways and VPC endpoints of a new VPC. Or `existing`, your own VPC, with its private subnets
    (tasks), its data subnets (brokers that are created), both by zone, and the security group of its VPC endpoints.
  TEXT
  type = object({
    cidr                = optional(string)
    zones               = optional(list(string), [])
    nat_per_zone        = optional(bool, true)
    interface_endpoints = optional(set(string), [])
    existing = optional(object({
      vpc_id          = string
      private_subnets = map(string)
      data_subnets    = optional(map(string), {})
      endpoints_group = optional(string)
    }))
  })

  validation {
    condition     = length(distinct(try(keys(var.network.existing.private_subnets), var.network.zones))) == 3
    error_message = "network.zones (in your own VPC the keys of private_subnets) must name three different availability zones: with two, losing one can lose two of three replicas."
  }

  validation {
    condition     = (var.network.existing == null) != (var.network.cidr == null)
    error_message = "Give network.cidr for a new VPC or network.existing for your own, and not both."
  }

  validation {
    condition     = var.network.existing == null || length(var.network.interface_endpoints) == 0
    error_message = "network.interface_endpoints are created in a new VPC only; in your own, create them yourself and name their security group in existing.endpoints_group."
  }

  validation {
    condition     = var.network.existing == null || var.kafka.existing != null || try(keys(var.network.existing.data_subnets) == keys(var.network.existing.private_subnets), false)
    error_message = "network.existing.data_subnets must have a subnet in each zone of private_subnets, for the brokers; they aren't needed with kafka.existing."
  }
}

variable "kafka" {
  description = <<-TEXT
    Brokers, their disks, and client authentication: iam, scram, or (in dev) plaintext. Or `existing`, your own MSK cluster,
    with its ARN and the security group of its brokers; it isn't looked up if you give `brokers` and `broker_count`.
  TEXT
  type = object({
    version        = optional(string, "3.9.x.kraft")
    instance_type  = optional(string, "kafka.m7g.large")
    volume_gib     = optional(number)
    volume_max_gib = optional(number)
    authentication = optional(string, "iam")
    scram_secrets  = optional(list(string), [])
    existing = optional(object({
      arn            = string
      security_group = string
      brokers        = optional(string)
      broker_count   = optional(number, 3)
    }))
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

variable "rotation" {
  description = "Rotates the stack's secrets every `days` by the function `rotation`: that of `functions`, or `function`, its ARN and the name of its role. null: no schedule."
  type = object({
    function = optional(object({ arn = string, role = string }))
    days     = optional(number, 30)
  })
  default = null

  validation {
    condition     = try(var.rotation.function, null) != null || var.rotation == null || var.functions != null
    error_message = "rotation needs functions, or a function of yours: its ARN and the name of its role."
  }
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary that your account demands of every role; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::[0-9a-z]+:policy/", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy (arn:aws:iam::ACCOUNT:policy/NAME)."
  }
}
