# The smallest stack that runs: everything is created, and nothing is kept on destroy.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

module "ticketstream" {
  source      = "../../modules/stack"
  environment = "dev"
  account_id  = var.account_id
  region      = var.region
  mode        = "single"
  image_tag   = "0.2.0"
  keep_data   = false
  models      = { minilm = { store = "models", collection = "tickets" } }
  network     = { cidr = "10.20.0.0/16", zones = [for letter in ["a", "b", "c"] : "${var.region}${letter}"], nat_per_zone = false }
  kafka       = { volume_gib = 50, volume_max_gib = 100 }
  index       = { instance_type = "m7i.large", cpu = 1792, memory_mib = 6144, volume_gib = 50 }

  images = {
    collector = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
    qdrant    = "docker.io/qdrant/qdrant:v1.19.0-unprivileged"
  }
}

variable "account_id" {
  description = "Your AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"
}

output "clients" {
  description = "VPC, security group, cluster and policy for your producers."
  value       = module.ticketstream.clients
}

output "operator" {
  description = "Task definition and network of the operator, which creates the topics."
  value       = module.ticketstream.operator
}
