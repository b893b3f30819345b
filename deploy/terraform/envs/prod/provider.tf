provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id] # credentials of another account end the plan

  default_tags {
    tags = { application = "ticketstream", environment = "prod" }
  }
}
