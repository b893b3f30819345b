# Valkey on two nodes in two zones: a cache of answers, and the counts of rate limits and token budgets. Everything in it can be written again.

resource "aws_elasticache_subnet_group" "this" {
  name       = "${var.name}-cache"
  subnet_ids = var.subnets
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-cache"
  family      = "valkey8"
  description = "The least recently used entries make room."

  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

# The services authenticate with their IAM roles, so there is no password in the state. A name equals its id there.
resource "aws_elasticache_user" "services" {
  user_id       = "${var.name}-services"
  user_name     = "${var.name}-services"
  engine        = "valkey"
  access_string = local.access

  authentication_mode {
    type = "iam"
  }
}

locals {
  # What the services call, on their keys only. A test runs them on a server with these rights.
  access = "on ~ticketstream:* resetchannels -@all +@connection +get +set +del +eval +time +hgetall +hdel +hincrby +pexpire +incrby +expire +exists"
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = "${var.name}-services"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.services.user_id]
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = "${var.name}-cache"
  description                = "Answers, rate limits and token budgets of the HTTP services."
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.node_type
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  port                       = var.port
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group]
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  snapshot_retention_limit   = 0
  apply_immediately          = true
}
