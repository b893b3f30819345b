variable "name" {
  description = "Name of the machines."
  type        = string
}

variable "cluster_name" {
  description = "ECS cluster they join."
  type        = string
}

variable "node" {
  description = "Value of the attribute `node`, by which a service finds its machine."
  type        = string
}

variable "subnets" {
  description = "Subnets of the machines; one pins them to a zone."
  type        = list(string)
}

variable "security_group" {
  description = "Security group of the machines, not of the tasks on them."
  type        = string
}

variable "instance_type" {
  description = "Size of a machine."
  type        = string
}

variable "image_parameter" {
  description = "SSM parameter that names the machine image; read when a machine starts."
  type        = string

  validation {
    condition     = startswith(var.image_parameter, "/aws/service/ecs/optimized-ami/")
    error_message = "image_parameter must be one of /aws/service/ecs/optimized-ami/...: other images don't join the cluster."
  }
}

variable "machines" {
  description = "Machines at least and at most; `managed` lets ECS choose between, by the tasks that wait."
  type        = object({ min = number, max = number, managed = bool })
}

variable "volume" {
  description = "A disk that outlives the machine: its id, ARN, key, and where the tasks find it."
  type        = object({ id = string, arn = string, key_arn = string, path = string, owner = string })
  default     = null
}

variable "region" {
  description = "Region of the machines."
  type        = string
}
