# Variables of an environment. Sizes that other deployment files share are in deploy/sizes.yaml.

variable "environment" {
  description = "dev or prod; prod refuses settings that could lose or leak data."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod."
  }
}

variable "account_id" {
  description = "The AWS account, twelve digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the twelve digits of an AWS account."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "models_bucket" {
  description = "Name of the bucket of models; by default it contains environment, region and account. Set it to keep the bucket of a version before 0.3."
  type        = string
  default     = null
}

variable "mode" {
  description = "single: one process runs the whole stream. split: enrichment and embedding scale separately. Never run both on one index."
  type        = string

  validation {
    condition     = contains(["single", "split"], var.mode)
    error_message = "mode must be single or split: docs/roles.md says when to split."
  }
}

variable "image_tag" {
  description = "Tag of the image that you pushed."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must be a version or a commit; latest could mean another image tomorrow."
  }
}

variable "models" {
  description = <<-TEXT
    The models that tickets are indexed with: one, or two during an upgrade. Each has its own collection and group.
    `store` is the prefix in the bucket that `ticketstream model build --to` filled, `stamp` the only stamp to run with,
    and `precision` is explicit, because tasks on different machines share an index. `settings` are further settings of the
    tasks that use the model, such as TICKETS_MODEL__NAME for Titan (docs/embedding-models.md).
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
    settings       = optional(map(string), {})
  }))

  validation {
    condition     = length(var.models) > 0 && alltrue([for name in keys(var.models) : can(regex("^[a-z0-9-]{1,20}$", name))])
    error_message = "models must name at least one model; a name has at most 20 lower-case letters, digits and hyphens."
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
    error_message = "Two models share enriched_topic or embedded_topic, whose chunks and vectors belong to one model. Give the new one topics of its own."
  }

  validation {
    condition     = alltrue([for model in var.models : contains(["fp32", "int8", "fp16"], model.precision)])
    error_message = "precision must be fp32, int8 or fp16; `auto` could differ between two machines that share an index."
  }
}

variable "gpu" {
  description = "GPU machines for the embedding; needs mode = \"split\". null: Fargate."
  type        = object({ instance_type = string })
  default     = null

  validation {
    condition     = var.gpu == null || var.mode == "split"
    error_message = "gpu needs mode = \"split\": only the embedding uses a GPU."
  }
}

variable "images" {
  description = "Third-party images, by version and digest."
  type        = object({ collector = string, qdrant = string })

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex(":[^/:]*[0-9]", image)) && !endswith(image, ":latest")])
    error_message = "images need a version, and preferably a digest: repository:version@sha256:..."
  }
}

variable "settings" {
  description = "Further settings of every worker (docs/operations.md lists them)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "TICKETS_")])
    error_message = "settings must be variables of the worker; their names start with TICKETS_."
  }

  validation {
    condition     = length([for name in keys(var.settings) : name if can(regex("PASSWORD|API_KEY|SECRET|TOKEN$", name))]) == 0
    error_message = "settings hold a secret in plain text (a name with PASSWORD, API_KEY, SECRET or TOKEN): put it into Secrets Manager and set its ARN in secrets."
  }
}

variable "secrets" {
  description = "Further secret settings of every worker: ARN by name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn))])
    error_message = "secrets must map each setting to the ARN of a secret (arn:aws:secretsmanager:...), not to the secret itself."
  }
}

variable "subscribers" {
  description = "Email addresses by severity (critical, warning, info)."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.subscribers), ["critical", "warning", "info"])) == 0
    error_message = "the keys of subscribers must be critical, warning or info."
  }

  validation {
    condition     = var.environment != "prod" || length(lookup(var.subscribers, "critical", [])) > 0
    error_message = "prod needs a subscriber for critical alarms: subscribers = { critical = [\"oncall@your.company\"] }."
  }
}

variable "budget_usd" {
  description = "Budget of the stack for a calendar month, in US dollars; the topics info and warning are notified. null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.budget_usd == null || try(var.budget_usd > 0, false)
    error_message = "budget_usd must be a positive number of US dollars: docs/cost.md has the list price to start from."
  }
}

variable "keep_data" {
  description = "If true, destroy refuses to delete data, and takes a snapshot of the index's disks; prod requires it."
  type        = bool

  validation {
    condition     = var.environment != "prod" || var.keep_data
    error_message = "prod must keep its data: keep_data = true. docs/deploy-aws.md says how to take it down on purpose."
  }
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}
