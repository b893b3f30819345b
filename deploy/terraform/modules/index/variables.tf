variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "global_name" {
  description = "Prefix of names that are unique in the account, and not only in the region."
  type        = string
}

variable "region" {
  description = "Region of the nodes."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the nodes."
  type        = string
}

variable "subnets" {
  description = "Private subnets by zone; each zone gets a node."
  type        = map(string)

  validation {
    condition     = length(distinct([for zone in keys(var.subnets) : substr(zone, -1, 1)])) == 3
    error_message = "The index needs nodes in three zones with different letters: with two, losing either blocks changes of collections."
  }
}

variable "security_groups" {
  description = "Security groups of the nodes (index), the load balancer (entry) and the machines (hosts)."
  type        = object({ index = string, entry = string, hosts = string })
}

variable "cluster" {
  description = "ECS cluster: its name and ARN."
  type        = object({ name = string, arn = string })
}

variable "image" {
  description = "Qdrant's unprivileged image."
  type        = string
}

variable "template" {
  description = "Path of Qdrant's task definition in deploy/k8s-ecs/ecs."
  type        = string
}

variable "instance_type" {
  description = "Instance type of a node's machine."
  type        = string
}

variable "node" {
  description = "CPU units and memory of a node's task; leave some of the machine to the system."
  type        = object({ cpu = number, memory_mib = number })
}

variable "volume_gib" {
  description = "Size of a node's disk in GiB."
  type        = number
}

variable "replication" {
  description = "Copies of each shard."
  type        = number

  validation {
    condition     = var.replication >= 3 && var.replication <= length(var.subnets)
    error_message = "replication of the index must be 3 or more, so that an ack means two nodes and one may fail, and at most the ${length(var.subnets)} nodes."
  }
}

variable "api_key_arn" {
  description = "ARN of the secret that holds Qdrant's API key and the next one, as fields key and alt_key."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:", var.api_key_arn))
    error_message = "api_key_arn must be the ARN of a secret (arn:aws:secretsmanager:...), never the key itself."
  }
}

variable "certificate_arn" {
  description = "ARN of the certificate of the index's address; null: no TLS."
  type        = string
}

variable "domain" {
  description = "Domain name in that certificate; your DNS record points it at the load balancer."
  type        = string

  validation {
    condition     = (var.domain == null) == (var.certificate_arn == null)
    error_message = "Give both the index's certificate_arn and its domain, or neither, because workers check the name in the certificate."
  }
}

variable "roles" {
  description = "ARNs of the node's task role and execution role."
  type        = object({ task = string, execution = string })
}

variable "log_group" {
  description = "Log group of the nodes."
  type        = string
}

variable "data_key_arn" {
  description = "KMS key of the disks."
  type        = string
}

variable "stop_timeout_s" {
  description = "Seconds from SIGTERM until a node is killed."
  type        = number
}

variable "keep_data" {
  description = "If true, destroy takes a snapshot of each disk, and the load balancer is protected from deletion."
  type        = bool
}

variable "partition" {
  description = "AWS partition: aws, aws-us-gov or aws-cn."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role; null: none."
  type        = string
  default     = null
}
