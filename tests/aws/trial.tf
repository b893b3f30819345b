# The functions, the user pool and the REST API on an emulator, without the rest of the stack.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "account_id" {
  type = string
}

variable "endpoint" {
  type = string
}

variable "rag_url" {
  type = string
}

variable "brokers" {
  type = string
}

locals {
  name   = "trial"
  topics = { for severity, topic in aws_sns_topic.alarms : severity => topic.arn }
}

resource "aws_sns_topic" "alarms" {
  for_each = toset(["critical", "warning"])
  name     = "${local.name}-${each.key}"
}

resource "aws_vpc" "this" {
  cidr_block = "10.99.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.99.1.0/24"
}

resource "aws_security_group" "this" {
  name   = local.name
  vpc_id = aws_vpc.this.id
}

module "keys" {
  source     = "../modules/keys"
  name       = local.name
  account_id = var.account_id
  region     = "us-east-1"
  partition  = "aws"
}

module "tables" {
  source        = "../modules/tables"
  prefix        = "${local.name}-"
  key_arn       = module.keys.arns["data"]
  keep_data     = false
  streams       = ["TicketMetadata"]
}

module "functions" {
  source      = "../modules/functions"
  name        = local.name
  global_name = local.name
  account_id  = var.account_id
  region      = "us-east-1"
  partition   = "aws"
  zips        = "../zips"
  raw         = { map = "ticket_id=id;tenant_id:=acme;body=text;version=changed", buckets = ["raw-records"] }
  rag_url     = var.rag_url
  callers     = module.api.callers
  pools       = { trial = module.sign_in.pool.arn }
  key_arn     = module.keys.arns["data"]
  log_key_arn = module.keys.arns["telemetry"]
  log_days    = 30
  topics      = local.topics
  tables      = { arns = module.tables.arns, prefix = "${local.name}-", key_arn = module.keys.arns["data"], with_stream = true, outbox_stream = module.tables.streams["TicketMetadata"] }
  kafka       = { arn = "arn:aws:kafka:us-east-1:${var.account_id}:cluster/${local.name}/1", settings = { TICKETS_KAFKA__BROKERS = var.brokers } }
  network     = { subnets = [aws_subnet.this.id], security_groups = { functions = aws_security_group.this.id } }

  api_settings = {
    TICKETS_AUTH__ISSUER           = module.sign_in.issuer
    TICKETS_AUTH__JWKS_URL         = "${var.endpoint}/${module.sign_in.pool.id}/.well-known/jwks.json"
    TICKETS_AUTH__CLIENT_IDS       = join(",", values(module.sign_in.client_ids))
    TICKETS_SESSIONS__STORE        = "dynamodb"
    TICKETS_SESSIONS__AWS_REGION   = "us-east-1"
    TICKETS_SESSIONS__TABLE_PREFIX = "${local.name}-"
  }
}

module "sign_in" {
  source        = "../modules/sign_in"
  name          = local.name
  domain_prefix = local.name
  callback_urls = ["http://localhost/"]
  pre_token_arn = module.functions.pre_token_arn
  keep_data     = false
}

module "api" {
  source      = "../modules/api"
  name        = local.name
  global_name = local.name
  partition   = "aws"
  pool_arn    = module.sign_in.pool.arn
  scopes      = module.sign_in.scopes
  functions   = { for name in ["responses", "tickets"] : name => module.functions.invoke_arns[name] }
  rag_url     = var.rag_url
  programs    = { crm = { rate = 100, burst = 200, per_day = 10000 } }
  log_key_arn = module.keys.arns["telemetry"]
  log_days    = 30
  topics      = local.topics
  keep_data   = false
  link        = { vpc_id = aws_vpc.this.id, subnets = [aws_subnet.this.id], security_group = aws_security_group.this.id, load_balancer_arn = "arn:aws:elasticloadbalancing:us-east-1:${var.account_id}:loadbalancer/app/none/1" }
}

output "url" {
  value = module.api.url
}

output "keys" {
  value = module.api.keys
}

output "pool" {
  value = module.sign_in.pool.id
}

output "client_ids" {
  value = module.sign_in.client_ids
}
