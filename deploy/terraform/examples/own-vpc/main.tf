# A stack in a VPC and on an MSK cluster that exist already, in an account that demands a permissions boundary.
# terraform.tfvars.example has the values to fill in.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

module "ticketstream" {
  source      = "../../modules/stack"
  environment = "prod"
  account_id  = var.account_id
  region      = var.region
  mode        = "split"
  image_tag   = "0.2.0"
  keep_data   = true
  models      = { minilm = { store = "models", collection = "tickets" } }
  network     = { existing = var.vpc }
  kafka       = { existing = var.kafka }
  subscribers = { critical = [var.on_call] }

  permissions_boundary = var.permissions_boundary

  index = {
    instance_type   = "r7i.xlarge"
    cpu             = 3840
    memory_mib      = 28672
    volume_gib      = 200
    certificate_arn = var.index_certificate_arn
    domain          = var.index_domain
  }

  images = {
    collector = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
    qdrant    = "docker.io/qdrant/qdrant:v1.19.0-unprivileged"
  }
}

output "clients" {
  description = "VPC, security group, cluster and policy for your producers."
  value       = module.ticketstream.clients
}

output "operator" {
  description = "Task definition and network of the operator, which creates the topics."
  value       = module.ticketstream.operator
}
