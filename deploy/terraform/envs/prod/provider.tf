provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id] # the plan fails with another account's credentials

  default_tags {
    tags = merge(var.tags, { application = "ticketstream", environment = "prod" })
  }
}

provider "aws" {
  alias               = "replica"
  region              = coalesce(var.replica_region, var.region)
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = merge(var.tags, { application = "ticketstream", environment = "prod" })
  }
}

# CloudFront's region.
provider "aws" {
  alias               = "us_east_1"
  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = merge(var.tags, { application = "ticketstream", environment = "prod" })
  }
}
