# The state is in the bucket that ../../state makes, encrypted, and locked by a file beside it while somebody applies:
#   terraform init -backend-config="bucket=NAME" -backend-config="region=REGION"
terraform {
  backend "s3" {
    key          = "ticketstream/prod.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
