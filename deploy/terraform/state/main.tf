# The bucket of the environments' states, made once per account, by hand, with a state of its own on your disk:
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
  description = "The region."
  type        = string
  default     = "us-east-1"
}

variable "bucket" {
  description = "Name of the bucket; names are shared by all of AWS's customers."
  type        = string
}

module "keys" {
  source     = "../modules/keys"
  name       = "ticketstream-state"
  account_id = var.account_id
  region     = var.region
}

# A state is kept in all its versions, encrypted, and read over TLS alone: as a bucket of models is.
module "bucket" {
  source        = "../modules/artefacts"
  bucket        = var.bucket
  key_arn       = module.keys.arns["data"]
  force_destroy = false
}

output "bucket" {
  value = module.bucket.bucket
}
