# A small copy of prod for trials; `terraform destroy` removes all of it.

module "ticketstream" {
  source      = "../../modules/stack"
  environment = "dev"
  account_id  = var.account_id
  region      = var.region

  models_bucket = var.models_bucket
  mode          = var.mode
  gpu           = var.gpu
  image_tag     = var.image_tag
  subscribers   = var.subscribers
  budget_usd    = var.budget_usd
  settings      = var.settings
  services      = var.services
  producers     = var.producers
  functions     = var.functions
  sign_in       = var.sign_in
  gateway       = var.gateway
  workflow      = var.workflow
  canary        = var.canary == null ? null : merge({ url = try("https://${var.edge.domain}", null) }, var.canary)
  hosted_models = var.hosted_models
  keep_data     = false

  permissions_boundary = var.permissions_boundary
  rotation             = var.rotation

  models = {
    minilm = { store = "models", collection = "tickets", precision = "int8" }
  }

  network = {
    cidr         = "10.20.0.0/16"
    zones        = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
    nat_per_zone = false
  }

  kafka = {
    volume_gib     = 50
    volume_max_gib = 100
    authentication = var.kafka_authentication
  }

  index = {
    instance_type = "m7i.large" # 2 vCPU, 8 GiB
    cpu           = 1792
    memory_mib    = 6144
    volume_gib    = 50
  }

  images = {
    collector = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
    qdrant    = var.qdrant_image
  }
}
