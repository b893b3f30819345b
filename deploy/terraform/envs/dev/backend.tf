# The state is encrypted in the bucket that ../../state makes, with a lock file during an apply:
#   terraform init -backend-config="bucket=NAME" -backend-config="region=REGION"
terraform {
  backend "s3" {
    key          = "ticketstream/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
