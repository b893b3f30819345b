variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region of the nodes."
  type        = string
}

variable "vpc_id" {
  description = "Network of the nodes."
  type        = string
}

variable "subnets" {
  description = "Zone to private subnet; each zone gets a node."
  type        = map(string)

  validation {
    condition     = length(var.subnets) >= 3
    error_message = "The index needs nodes in three zones: of two, either's loss stops every change of a collection."
  }
}

variable "security_groups" {
  description = "Of the nodes (index), of their one address (entry), and of the machines (hosts)."
  type        = object({ index = string, entry = string, hosts = string })
}

variable "cluster" {
  description = "ECS cluster: its name and ARN."
  type        = object({ name = string, arn = string })
}

variable "image" {
  description = "Qdrant's image, as a user that isn't root."
  type        = string
}

variable "template" {
  description = "Qdrant's task definition in deploy/k8s-ecs/ecs."
  type        = string
}

variable "instance_type" {
  description = "Machine of a node; the node gets all of it but what the system needs."
  type        = string
}

variable "node" {
  description = "What a node's task asks for."
  type        = object({ cpu = number, memory_mib = number })
}

variable "volume_gib" {
  description = "Disk of a node."
  type        = number
}

variable "replication" {
  description = "Copies of each shard."
  type        = number

  validation {
    condition     = var.replication >= 3 && var.replication <= length(var.subnets)
    error_message = "replication of the index must be 3 or more, so that an ack means two nodes and one may be away, and not above the ${length(var.subnets)} nodes."
  }
}

variable "api_key_arn" {
  description = "Secret that holds Qdrant's API key."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:", var.api_key_arn))
    error_message = "api_key_arn must be the ARN of a secret (arn:aws:secretsmanager:...), never the key itself."
  }
}

variable "certificate_arn" {
  description = "Certificate of the index's address; null: no TLS inside the network."
  type        = string
}

variable "domain" {
  description = "The name in that certificate; a record of yours points it at the load balancer."
  type        = string

  validation {
    condition     = (var.domain == null) == (var.certificate_arn == null)
    error_message = "Give both the index's certificate_arn and its domain, or neither: workers check the name in the certificate."
  }
}

variable "roles" {
  description = "The node's task role and the role it is started with."
  type        = object({ task = string, execution = string })
}

variable "log_group" {
  description = "Log of the nodes."
  type        = string
}

variable "data_key_arn" {
  description = "Key of the disks."
  type        = string
}

variable "stop_timeout_s" {
  description = "How long a node may take to end."
  type        = number
}

variable "keep_data" {
  description = "Take a snapshot of each disk before it is destroyed, and refuse to delete the load balancer."
  type        = bool
}
