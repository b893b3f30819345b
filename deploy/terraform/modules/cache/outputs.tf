output "settings" {
  description = "Settings of the cache's clients, except the region."
  value = {
    TICKETS_CACHE__URL         = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:${var.port}/0"
    TICKETS_CACHE__USERNAME    = aws_elasticache_user.services.user_name
    TICKETS_CACHE__AWS_CLUSTER = aws_elasticache_replication_group.this.replication_group_id
  }
}

output "arns" {
  description = "ARNs of the cluster and of its user, which a client must be allowed to connect to."
  value       = [aws_elasticache_replication_group.this.arn, aws_elasticache_user.services.arn]
}

output "nodes" {
  description = "Ids of the nodes, as in their metrics, by a short name."
  value       = { for number in ["001", "002"] : "cache-${number}" => "${var.name}-cache-${number}" }
}
