variable "account_id" {
  description = "The AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
  default     = "us-east-1"
}

variable "image_tag" {
  description = "The image that was pushed."
  type        = string
}

variable "mode" {
  description = "single or split."
  type        = string
  default     = "single"
}

variable "gpu" {
  description = "Embed on GPUs: { instance_type = \"g6.xlarge\" }, with mode = \"split\". null: on Fargate."
  type        = object({ instance_type = string })
  default     = null
}

variable "kafka_authentication" {
  description = "iam, scram or plaintext."
  type        = string
  default     = "iam"
}

variable "subscribers" {
  description = "Severity to mail addresses."
  type        = map(list(string))
  default     = {}
}

variable "settings" {
  description = "Further settings of every worker."
  type        = map(string)
  default     = {}
}
