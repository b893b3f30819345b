# The bucket for the environments' states. Apply this once per account, by hand; its own state stays on your disk:
#   terraform init && terraform apply -var account_id=... -var bucket=...

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
}

variable "account_id" {
  description = "The AWS account, twelve digits."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"
}

variable "bucket" {
  description = "Name of the bucket; it must be unique in all of AWS."
  type        = string
}

module "keys" {
  source     = "../modules/keys"
  name       = "ticketstream-state"
  account_id = var.account_id
  region     = var.region
  partition  = data.aws_partition.current.partition
  purposes   = ["data", "secrets", "telemetry"]
  keep_data  = true # nobody reads the states without it
}

data "aws_partition" "current" {}

# Versioned, encrypted and TLS-only, like the bucket of models.
module "bucket" {
  source        = "../modules/artefacts"
  bucket        = var.bucket
  key_arn       = module.keys.arns["data"]
  force_destroy = false
}

output "bucket" {
  value = module.bucket.bucket
}
