variable "account_id" {
  description = "The AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"
}

variable "replica_region" {
  description = "A second region of the same partition, for copies of the buckets. null: no copies."
  type        = string
  default     = "us-west-2"

  validation {
    condition     = var.replica_region != var.region
    error_message = "replica_region must be another region than region, or null for no copies."
  }

  validation {
    condition     = var.replica_region == null || regex("^(?:us-gov|cn)?", var.region) == try(regex("^(?:us-gov|cn)?", var.replica_region), "")
    error_message = "replica_region must be in the partition of region: S3 copies nothing into or out of AWS GovCloud and China."
  }
}

variable "zones" {
  description = "Three availability zones of the region."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

variable "models_bucket" {
  description = "Name of the bucket of models, to keep that of a version before 0.3."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag of the image that you pushed: a version or a commit."
  type        = string
}

variable "mode" {
  description = "single or split; docs/roles.md says when to split the stream."
  type        = string
  default     = "split"
}

variable "models" {
  description = "Models that tickets are indexed with: one, or two during an upgrade."
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
  default = {
    minilm = { store = "models", collection = "tickets" }
  }
}

variable "gpu" {
  description = "GPU machines for the embedding, such as { instance_type = \"g6.xlarge\" }. null: Fargate."
  type        = object({ instance_type = string })
  default     = null
}

variable "kafka_authentication" {
  description = "Kafka authentication: iam or scram; prod refuses plaintext."
  type        = string
  default     = "iam"
}

variable "kafka_scram_secrets" {
  description = "For scram: ARNs of secrets named AmazonMSK_..., each with username and password."
  type        = list(string)
  default     = []
}

variable "index_certificate_arn" {
  description = "ACM certificate of index_domain."
  type        = string
}

variable "index_domain" {
  description = "Your domain name for the index; its DNS record points at the output index.address."
  type        = string
}

variable "subscribers" {
  description = "Email addresses by severity (critical, warning, info)."
  type        = map(list(string))
}

variable "budget_usd" {
  description = "Budget of the stack for a calendar month, in US dollars; the topics info and warning are notified. null: no budget."
  type        = number
  default     = null
}

variable "settings" {
  description = "Further settings of every worker (docs/operations.md lists them)."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Further secret settings of every worker: ARN by name."
  type        = map(string)
  default     = {}
}

variable "qdrant_image" {
  description = "Image of the index's nodes: the public one, or your copy in the repository `qdrant`, by digest."
  type        = string
  default     = "docker.io/qdrant/qdrant:v1.19.0-unprivileged"
}

variable "tags" {
  description = "Further tags of every resource."
  type        = map(string)
  default     = {}
}

variable "existing_vpc" {
  description = "Your own VPC in place of a new one, its private and data subnets by zone, and the security group of its VPC endpoints."
  type = object({
    vpc_id          = string
    private_subnets = map(string)
    data_subnets    = optional(map(string), {})
    endpoints_group = optional(string)
  })
  default = null
}

variable "existing_kafka" {
  description = "Your own MSK cluster in place of a new one: its ARN and its brokers' security group."
  type = object({
    arn            = string
    security_group = string
    brokers        = optional(string)
    broker_count   = optional(number, 3)
  })
  default = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary that your account demands of every role; null: none."
  type        = string
  default     = null
}

variable "services" {
  description = "Search, answers and the ticket API over HTTP (docs/deploy-aws.md has the fields). null: none."
  type = object({
    certificate_arn = string
    domain          = string
    issuer          = optional(string)
    client_ids      = optional(list(string), [])
    audiences       = optional(list(string), [])
    model           = optional(string)
    cache_node_type = optional(string, "cache.m7g.large")
    language_models = optional(list(string), [])
    settings        = optional(map(string), {})
    secrets         = optional(map(string), {})
  })
  default = null
}

variable "rotation" {
  description = "Rotates the stack's secrets every `days` (30) by the function `rotation`: that of `functions`, or `function`, its ARN and the name of its role. null: no schedule."
  type = object({
    function = optional(object({ arn = string, role = string }))
    days     = optional(number, 30)
  })
  default = null
}

variable "table_replica" {
  description = "A second region that keeps a copy of each table, and the KMS key of the copies there (docs/disaster-recovery.md); null: no copies."
  type        = object({ region = string, key_arn = string })
  default     = null
}

variable "existing_tables" {
  description = "For the region that takes over: the tables exist here as copies of the lost region's, with this KMS key; null: create them."
  type        = object({ key_arn = string })
  default     = null
}

variable "archive_copy" {
  description = "The copy of a lost region's archive (docs/disaster-recovery.md): its bucket and KMS key. null: none."
  type        = object({ bucket = string, key_arn = string })
  default     = null
}

variable "producers" {
  description = "Tasks that send the lines of files in your buckets (docs/deploy-aws.md has the fields). null: none."
  type = object({
    sources        = list(string)
    source_key_arn = optional(string)
    settings       = optional(map(string), {})
  })
  default = null
}

variable "functions" {
  description = "The Lambda functions, from the zips of `make lambda-zip` (docs/deploy-aws.md has the fields). null: none."
  type = object({
    zips         = optional(string, "../../../../build/lambda")
    architecture = optional(string, "x86_64")
    raw = optional(object({
      map           = string
      event_sources = optional(list(string), [])
      buckets       = optional(list(string), [])
      key_arn       = optional(string)
    }))
  })
  default = null
}

variable "sign_in" {
  description = "A Cognito user pool that issues the access tokens, in place of services.issuer (docs/deploy-aws.md has the fields). null: none."
  type = object({
    domain_prefix = string
    callback_urls = list(string)
    logout_urls   = optional(list(string), [])
    mfa           = optional(string, "OPTIONAL")
    identity_providers = optional(map(object({
      type       = string
      details    = map(string)
      attributes = optional(map(string), { email = "email" })
    })), {})
  })
  default = null
}

variable "gateway" {
  description = "The REST API in Amazon API Gateway (docs/deploy-aws.md has the fields). null: none."
  type = object({
    programs         = optional(map(object({ rate = optional(number, 10), burst = optional(number, 20), per_day = optional(number, 100000) })), {})
    limits           = optional(object({ rate = number, burst = number }), { rate = 100, burst = 200 })
    proxies          = optional(number, 1)
    stream_answers   = optional(bool, true)
    set_account_role = optional(bool, true)
  })
  default = null
}

variable "workflow" {
  description = "The workflow of new tickets (docs/workflow.md has the fields). null: none."
  type = object({
    token_url   = optional(string)
    subscribers = optional(list(string), [])
    settings    = optional(map(string), {})
  })
  default = null
}

variable "canary" {
  description = "A function that asks the public address (that of `edge`, or of `gateway`) a question every five minutes, and alarms (docs/deploy-aws.md). null: none."
  type        = object({ question = optional(string) })
  default     = null
}

variable "edge" {
  description = <<-TEXT
    The public address: CloudFront with a firewall, its certificate and its DNS records, for the page and the API. null: none.
    `domain` is a name in the Route 53 zone `zone_id`, `api` the domain name and stage of the REST API (by default that of
    `gateway`), `page` the content of the page's config.json, and `blocked_countries` are two-letter codes.
  TEXT
  type = object({
    domain            = string
    zone_id           = string
    api               = optional(object({ domain = string, path = optional(string, "") }))
    price_class       = optional(string, "PriceClass_All")
    blocked_countries = optional(set(string), [])
    page = optional(object({
      token_url  = optional(string)
      tenant     = optional(string)
      ticket_url = optional(string)
      examples   = optional(list(string), [])
    }), {})
  })
  default = null

  validation {
    condition     = var.edge == null || !startswith(var.region, "us-gov-") && !startswith(var.region, "cn-")
    error_message = "edge needs CloudFront, which AWS GovCloud and China don't have in this form: leave it out there."
  }

  validation {
    condition     = var.edge == null || try(var.edge.api, null) != null || var.gateway != null
    error_message = "edge needs gateway, or api: the domain name and stage of a REST API of yours."
  }

  validation {
    condition     = try(var.edge.domain != var.services.domain, true)
    error_message = "edge.domain must not be services.domain, by which the functions reach the internal load balancer."
  }
}

variable "origin_secret" {
  description = "Random text (openssl rand -hex 32) that CloudFront sends to the API, so that no request bypasses CloudFront. It is kept in the state."
  type        = string
  default     = null
  sensitive   = true
}

variable "hosted_models" {
  description = "Models on SageMaker and Bedrock (docs/deploy-aws.md has the fields). null: none."
  type = object({
    endpoint = optional(object({
      instance_type    = optional(string, "ml.m5.large")
      min_instances    = optional(number, 1)
      max_instances    = optional(number, 4)
      calls_per_minute = optional(number, 600)
      capture = optional(object({
        bucket  = string
        prefix  = optional(string, "captured")
        percent = optional(number, 10)
        key_arn = string
      }))
    }))
    training  = optional(object({ bucket = string, prefix = string, key_arn = optional(string), set_log_days = optional(bool, true) }))
    guardrail = optional(bool, false)
  })
  default = null
}
