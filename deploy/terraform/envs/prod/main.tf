# A NAT gateway in each zone, VPC endpoints, TLS everywhere, and deletion protection on everything that holds data.

module "ticketstream" {
  source      = "../../modules/stack"
  environment = "prod"
  account_id  = var.account_id
  region      = var.region

  models_bucket = var.models_bucket
  mode          = var.mode
  models        = var.models
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
  secrets       = var.secrets
  keep_data     = true
  replica       = one(module.replica[*].replica)

  permissions_boundary = var.permissions_boundary
  rotation             = var.rotation
  table_replica        = var.table_replica
  existing_tables      = var.existing_tables
  archive_copy         = var.archive_copy

  network = {
    cidr         = var.existing_vpc == null ? "10.30.0.0/16" : null
    zones        = var.zones
    nat_per_zone = true
    existing     = var.existing_vpc

    interface_endpoints = var.existing_vpc != null ? [] : [
      "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "kms", "logs", "secretsmanager", "sts",
    ]
  }

  kafka = {
    volume_gib     = 1000
    volume_max_gib = 4000
    authentication = var.kafka_authentication
    scram_secrets  = var.kafka_scram_secrets
    existing       = var.existing_kafka
  }

  index = {
    instance_type   = "r7i.xlarge" # 4 vCPU, 32 GiB
    cpu             = 3840
    memory_mib      = 28672
    volume_gib      = 200
    certificate_arn = var.index_certificate_arn
    domain          = var.index_domain
  }

  images = {
    collector = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
    qdrant    = var.qdrant_image
  }
}

# Copies of the buckets in a second region, from which a lost region is restored.
module "replica" {
  source        = "../../modules/replica"
  count         = var.replica_region == null ? 0 : 1
  providers     = { aws = aws.replica }
  global_name   = module.ticketstream.global_name
  account_id    = var.account_id
  region        = var.replica_region
  log_days      = 90
  force_destroy = false
}
