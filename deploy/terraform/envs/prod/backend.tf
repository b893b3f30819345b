# The bucket that ../../state makes encrypts the state with its KMS key; `encrypt` would ask for S3's own instead. There is a
# lock file during an apply:
#   terraform init -backend-config="bucket=NAME" -backend-config="region=REGION"
terraform {
  backend "s3" {
    key          = "ticketstream/prod.tfstate"
    use_lockfile = true
  }
}
