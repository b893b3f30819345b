variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "existing" {
  description = <<-TEXT
    Your own MSK cluster; null: create one. `arn` finds it in this region; with `brokers` (bootstrap servers) and
    `broker_count` it isn't looked up.
  TEXT
  type = object({
    arn          = string
    brokers      = optional(string)
    broker_count = optional(number, 3)
  })
  default = null

  validation {
    condition     = var.existing == null || can(regex("^arn:aws[a-z-]*:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[^/]+/[^/]+$", var.existing.arn))
    error_message = "The ARN of your MSK cluster must look like arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID: topics and groups of the permissions derive from it."
  }
}

variable "kafka_version" {
  description = "Kafka version in MSK's notation."
  type        = string
}

variable "subnets" {
  description = "One subnet per zone; each gets a broker."
  type        = list(string)

  validation {
    condition     = var.existing != null || length(var.subnets) >= 3
    error_message = "Kafka needs a subnet in each of three zones: fewer brokers can't hold three replicas."
  }
}

variable "security_group" {
  description = "Security group of the brokers that are created."
  type        = string
}

variable "instance_type" {
  description = "Instance type of a broker."
  type        = string
}

variable "volume_gib" {
  description = "Initial size of a broker's disk in GiB; autoscaling grows it, and it never shrinks. Needed unless `existing` is set."
  type        = number
  default     = null
}

variable "volume_max_gib" {
  description = "Maximum size of a broker's disk in GiB. Needed unless `existing` is set."
  type        = number
  default     = null

  validation {
    condition     = var.existing != null || try(var.volume_max_gib >= var.volume_gib, false)
    error_message = "volume_gib and volume_max_gib must both be set, and volume_max_gib must not be below volume_gib: a broker's disk never shrinks."
  }
}

variable "authentication" {
  description = "Client authentication: iam, scram or plaintext."
  type        = string

  validation {
    condition     = contains(["iam", "scram", "plaintext"], var.authentication)
    error_message = "authentication must be iam, scram or plaintext."
  }
}

variable "scram_secrets" {
  description = "For scram: ARNs of secrets named AmazonMSK_..., each with username and password."
  type        = list(string)

  validation {
    condition     = var.authentication != "scram" || length(var.scram_secrets) > 0
    error_message = "authentication is scram, so scram_secrets must list at least one secret whose name starts with AmazonMSK_."
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
    error_message = "topics.yaml: every topic needs replication 3 or more, so that acked tickets survive the loss of a broker."
  }

  validation {
    condition     = alltrue([for topic in var.topics : lookup(topic.config, "min.insync.replicas", "1") == tostring(topic.replication - 1)])
    error_message = "topics.yaml: min.insync.replicas must be one less than replication, so that an ack means two copies and one broker may fail."
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
    error_message = "server.properties must say auto.create.topics.enable=false, unclean.leader.election.enable=false and allow.everyone.if.no.acl.found=false: MSK's defaults lose data or allow unauthorised access."
  }

  validation {
    condition = (
      can(regex("(?m)^default\\.replication\\.factor=[3-9]\\s*$", var.server_properties)) &&
      can(regex("(?m)^min\\.insync\\.replicas=[2-9]\\s*$", var.server_properties))
    )
    error_message = "server.properties must say default.replication.factor=3 and min.insync.replicas=2, or more."
  }
}

variable "keep_data" {
  description = "If true, a plan that destroys or replaces the cluster is refused."
  type        = bool
}

variable "key_arn" {
  description = "KMS key of the brokers' disks."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key of the brokers' logs."
  type        = string
}

variable "log_days" {
  description = "Days that the brokers' logs are kept."
  type        = number
}
