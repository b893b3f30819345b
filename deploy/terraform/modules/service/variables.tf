variable "name" {
  description = "Name of the service and family of its task definition."
  type        = string
}

variable "template" {
  description = "Path of a task definition in deploy/k8s-ecs/ecs."
  type        = string
}

variable "values" {
  description = "Variables of the template."
  type        = any
}

variable "environment" {
  description = "Environment variables that are not secret."
  type        = map(string)

  validation {
    condition = length([
      for name in keys(var.environment) : name if can(regex("PASSWORD|API_KEY|SECRET|TOKEN$", name))
    ]) == 0
    error_message = "environment holds a secret in plain text (a name with PASSWORD, API_KEY, SECRET or TOKEN): put it into Secrets Manager and set its ARN in secrets."
  }
}

variable "secrets" {
  description = "ARNs of secrets, by environment variable."
  type        = map(string)

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secrets must map each setting to the ARN of a secret (arn:aws:secretsmanager:...), not to the secret itself."
  }
}

variable "cluster_arn" {
  type        = string
  description = "ARN of the ECS cluster."
}

variable "task_role_arn" {
  description = "ARN of the task role."
  type        = string
}

variable "execution_role_arn" {
  description = "ARN of the execution role."
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
  description = "Initial number of tasks; autoscaling changes it. 0: no service, for a task that is run by hand."
  type        = number
}

variable "target" {
  description = "Target group and port of a service behind a load balancer; its container has the service's name. null: none."
  type        = object({ group_arn = string, port = number })
  default     = null
}

variable "new_tasks_first" {
  description = "Whether a deployment starts new tasks before it stops old ones, as behind a load balancer; null: if there is a `target`."
  type        = bool
  default     = null
}
