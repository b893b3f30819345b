variable "name" {
  description = "Name of the service and family of its task definition."
  type        = string
}

variable "template" {
  description = "A task definition of deploy/k8s-ecs/ecs."
  type        = string
}

variable "values" {
  description = "What the template leaves open."
  type        = any
}

variable "environment" {
  description = "Settings in plain text."
  type        = map(string)

  validation {
    condition = length([
      for name in keys(var.environment) : name if can(regex("PASSWORD|API_KEY|SECRET|TOKEN$", name))
    ]) == 0
    error_message = "environment holds a secret in plain text (a name with PASSWORD, API_KEY, SECRET or TOKEN): put it into Secrets Manager and name its ARN in secrets."
  }
}

variable "secrets" {
  description = "Setting to the ARN of the secret it is read from."
  type        = map(string)

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secrets must map each setting to the ARN of a secret (arn:aws:secretsmanager:...), never to the secret itself."
  }
}

variable "cluster_arn" {
  type        = string
  description = "Cluster to run in."
}

variable "task_role_arn" {
  description = "Role the task works with."
  type        = string
}

variable "execution_role_arn" {
  description = "Role ECS starts it with."
  type        = string
}

variable "subnets" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "security_group" {
  description = "Security group of the tasks."
  type        = string
}

variable "capacity_provider" {
  description = "FARGATE, or a capacity provider of EC2 machines."
  type        = string
}

variable "tasks" {
  description = "Tasks to begin with; the lag decides afterwards. 0: registered and not run, as what is run by hand."
  type        = number
}
