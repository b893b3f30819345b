variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "kafka_version" {
  description = "Version as MSK writes it."
  type        = string
}

variable "subnets" {
  description = "One subnet per zone; each gets a broker."
  type        = list(string)

  validation {
    condition     = length(var.subnets) >= 3
    error_message = "Kafka needs a subnet in each of three zones: three replicas on fewer brokers are no three replicas."
  }
}

variable "security_group" {
  description = "Security group of the brokers."
  type        = string
}

variable "instance_type" {
  description = "Size of a broker."
  type        = string
}

variable "volume_gib" {
  description = "Disk of a broker at first; it grows by itself and never shrinks."
  type        = number
}

variable "volume_max_gib" {
  description = "How far a broker's disk may grow."
  type        = number

  validation {
    condition     = var.volume_max_gib >= var.volume_gib
    error_message = "volume_max_gib must not be below volume_gib: a broker's disk never shrinks."
  }
}

variable "authentication" {
  description = "How clients are let in: iam, scram or plaintext."
  type        = string

  validation {
    condition     = contains(["iam", "scram", "plaintext"], var.authentication)
    error_message = "authentication must be iam, scram or plaintext."
  }
}

variable "scram_secrets" {
  description = "ARNs of secrets named AmazonMSK_..., each {username, password}, for scram."
  type        = list(string)

  validation {
    condition     = var.authentication != "scram" || length(var.scram_secrets) > 0
    error_message = "authentication is scram, so scram_secrets must name at least one secret (its name begins with AmazonMSK_)."
  }
}

variable "topics" {
  description = "The topics of deploy/k8s-ecs/msk/topics.yaml."
  type = list(object({
    name        = string
    partitions  = number
    replication = number
    config      = map(string)
  }))

  validation {
    condition     = alltrue([for topic in var.topics : topic.replication >= 3])
    error_message = "topics.yaml: every topic needs replication 3 or more. With less, one broker that is lost takes acked tickets with it."
  }

  validation {
    condition     = alltrue([for topic in var.topics : lookup(topic.config, "min.insync.replicas", "1") == tostring(topic.replication - 1)])
    error_message = "topics.yaml: min.insync.replicas must be one less than replication, so that an ack means two copies and one broker may be away."
  }
}

variable "server_properties" {
  description = "The text of deploy/k8s-ecs/msk/server.properties."
  type        = string

  validation {
    condition = alltrue([
      for line in [
        "auto\\.create\\.topics\\.enable=false", "unclean\\.leader\\.election\\.enable=false",
        "allow\\.everyone\\.if\\.no\\.acl\\.found=false",
      ] : can(regex("(?m)^${line}\\s*$", var.server_properties))
    ])
    error_message = "server.properties must say auto.create.topics.enable=false, unclean.leader.election.enable=false and allow.everyone.if.no.acl.found=false: MSK's own defaults lose or leak."
  }

  validation {
    condition = (
      can(regex("(?m)^default\\.replication\\.factor=[3-9]\\s*$", var.server_properties)) &&
      can(regex("(?m)^min\\.insync\\.replicas=[2-9]\\s*$", var.server_properties))
    )
    error_message = "server.properties must say default.replication.factor=3 and min.insync.replicas=2, or more."
  }
}

variable "key_arn" {
  description = "Key of the brokers' disks."
  type        = string
}

variable "log_key_arn" {
  description = "Key of the brokers' logs."
  type        = string
}

variable "log_days" {
  description = "How long the brokers' logs are kept."
  type        = number
}
