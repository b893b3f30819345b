# What an environment is asked for. Sizes that other deployment files share are in deploy/sizes.yaml, not here.

variable "environment" {
  description = "dev or prod; prod refuses what loses or leaks."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod."
  }
}

variable "account_id" {
  description = "The AWS account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the twelve digits of an AWS account."
  }
}

variable "region" {
  description = "The region."
  type        = string
}

variable "mode" {
  description = "single: the whole stream in one task. split: enrichment and embedding scale apart. Never both on one index."
  type        = string

  validation {
    condition     = contains(["single", "split"], var.mode)
    error_message = "mode must be single or split: docs/roles.md says when to split."
  }
}

variable "image_tag" {
  description = "The image that was pushed."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must name one image, a version or a commit; latest means another one tomorrow."
  }
}

variable "models" {
  description = <<-TEXT
    The models that tickets are indexed with, each into a collection of its own by a group of its own. One, but for the
    time of an upgrade. `store` is the prefix in the bucket that `ticketstream model build --to` filled; `stamp` the only
    stamp to run with; `precision` named, for tasks on different machines share an index.
  TEXT
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

  validation {
    condition     = length(var.models) > 0 && alltrue([for name in keys(var.models) : can(regex("^[a-z0-9-]{1,20}$", name))])
    error_message = "models must name at least one model, in at most 20 small letters, digits and hyphens."
  }

  validation {
    condition     = length(distinct([for model in var.models : model.collection])) == length(var.models)
    error_message = "Two models share a collection: vectors of different models can't be compared. Give the new one a collection of its own."
  }

  validation {
    condition     = length(distinct([for model in var.models : model.group])) == length(var.models)
    error_message = "Two models share a consumer group, so each would index half of the tickets. Give the new one a group of its own."
  }

  validation {
    condition = var.mode == "single" || (
      length(distinct([for model in var.models : model.enriched_topic])) == length(var.models) &&
      length(distinct([for model in var.models : model.embedded_topic])) == length(var.models)
    )
    error_message = "Two models share enriched_topic or embedded_topic in split mode: texts are cut, and vectors made, for one model. Give the new one topics of its own."
  }

  validation {
    condition     = alltrue([for model in var.models : contains(["fp32", "int8", "fp16"], model.precision)])
    error_message = "precision must be fp32, int8 or fp16; `auto` could differ between two machines that share an index."
  }
}

variable "gpu" {
  description = "Embed on machines with a GPU; split only. null: on Fargate."
  type        = object({ instance_type = string })
  default     = null

  validation {
    condition     = var.gpu == null || var.mode == "split"
    error_message = "gpu needs mode = \"split\": only the embedding gains by it."
  }
}

variable "images" {
  description = "Images of others, by version and digest."
  type        = object({ collector = string, qdrant = string })

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex(":[^/:]*[0-9]", image)) && !endswith(image, ":latest")])
    error_message = "images must be named with a version, and best with a digest: repository:version@sha256:..."
  }
}

variable "settings" {
  description = "Further settings of every worker (docs/operations.md lists them)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "TICKETS_")])
    error_message = "settings are variables of the worker, whose names begin with TICKETS_."
  }

  validation {
    condition     = length([for name in keys(var.settings) : name if can(regex("PASSWORD|API_KEY|SECRET|TOKEN$", name))]) == 0
    error_message = "settings hold a secret in plain text (a name with PASSWORD, API_KEY, SECRET or TOKEN): put it into Secrets Manager and name its ARN in secrets."
  }
}

variable "secrets" {
  description = "Further settings of every worker that are secrets: name to ARN."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secrets must map each setting to the ARN of a secret (arn:aws:secretsmanager:...), never to the secret itself."
  }
}

variable "subscribers" {
  description = "Severity (critical, warning) to mail addresses."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.subscribers), ["critical", "warning"])) == 0
    error_message = "subscribers knows critical and warning."
  }

  validation {
    condition     = var.environment != "prod" || length(lookup(var.subscribers, "critical", [])) > 0
    error_message = "prod needs somebody to tell: subscribers = { critical = [\"oncall@your.company\"] }."
  }
}

variable "keep_data" {
  description = "Refuse to delete what holds data, and snapshot the index's disks before they go. prod must."
  type        = bool

  validation {
    condition     = var.environment != "prod" || var.keep_data
    error_message = "prod must keep its data: keep_data = true. docs/deploy.md says how it is taken down on purpose."
  }
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}
