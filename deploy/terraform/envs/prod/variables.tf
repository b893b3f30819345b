variable "account_id" {
  description = "The AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
  default     = "us-east-1"
}

variable "zones" {
  description = "Three zones of the region."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

variable "image_tag" {
  description = "The image that was pushed: a version or a commit."
  type        = string
}

variable "mode" {
  description = "single or split; docs/roles.md says when to split the stream."
  type        = string
  default     = "split"
}

variable "models" {
  description = "The models that tickets are indexed with; a second one for the time of an upgrade."
  type = map(object({
    store          = string
    collection     = string
    group          = optional(string, "ticketstream")
    enriched_topic = optional(string, "tickets.enriched")
    embedded_topic = optional(string, "tickets.embedded")
    stamp          = optional(string)
    precision      = optional(string, "int8")
    image_tag      = optional(string)
  }))
  default = {
    minilm = { store = "models", collection = "tickets" }
  }
}

variable "gpu" {
  description = "Embed on GPUs: { instance_type = \"g6.xlarge\" }. null: on Fargate."
  type        = object({ instance_type = string })
  default     = null
}

variable "kafka_authentication" {
  description = "iam or scram; plaintext is refused."
  type        = string
  default     = "iam"
}

variable "kafka_scram_secrets" {
  description = "For scram: ARNs of secrets named AmazonMSK_..., of {username, password}."
  type        = list(string)
  default     = []
}

variable "index_certificate_arn" {
  description = "ACM certificate of index_domain."
  type        = string
}

variable "index_domain" {
  description = "A name of yours for the index; point it at the output index.address."
  type        = string
}

variable "subscribers" {
  description = "Severity (critical, warning) to mail addresses."
  type        = map(list(string))
}

variable "settings" {
  description = "Further settings of every worker."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Further settings of every worker that are secrets: name to ARN."
  type        = map(string)
  default     = {}
}
