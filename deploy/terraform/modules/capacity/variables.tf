variable "name" {
  description = "Name of the machines."
  type        = string
}

variable "global_name" {
  description = "Name of the machines' role, which is unique in the account."
  type        = string
}

variable "cluster_name" {
  description = "ECS cluster that the machines join."
  type        = string
}

variable "node" {
  description = "Value of the ECS attribute `node`, which places a service on its machine."
  type        = string
}

variable "subnets" {
  description = "Subnets of the machines; a single one pins them to its zone."
  type        = list(string)
}

variable "security_group" {
  description = "Security group of the machines, not of the tasks on them."
  type        = string
}

variable "instance_type" {
  description = "Instance type of the machines."
  type        = string
}

variable "image_parameter" {
  description = "SSM parameter that names the machine image; a machine reads it when it starts."
  type        = string

  validation {
    condition     = startswith(var.image_parameter, "/aws/service/ecs/optimized-ami/")
    error_message = "image_parameter must start with /aws/service/ecs/optimized-ami/, because other images don't join the cluster."
  }
}

variable "machines" {
  description = "Minimum and maximum number of machines; if `managed`, ECS scales between them by pending tasks."
  type        = object({ min = number, max = number, managed = bool })
}

variable "max_lifetime_days" {
  description = "Days after which a machine is replaced by one with the newest image; lifetimes of machines that must not be replaced at once differ."
  type        = number

  validation {
    condition     = var.max_lifetime_days >= 7 && var.max_lifetime_days <= 90
    error_message = "max_lifetime_days must be 7 to 90, so that security updates arrive and machines aren't replaced all the time."
  }
}

variable "volume" {
  description = "Persistent disk: its id, ARN and KMS key, its mount path, the owner of that folder, and the CloudWatch namespace of its use. null: none."
  type        = object({ id = string, arn = string, key_arn = string, path = string, owner = string, metrics = string })
  default     = null
}

variable "region" {
  description = "Region of the machines."
  type        = string
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
