output "url" {
  description = "Value for TICKETS_INDEX__URL."
  value = (
    var.certificate_arn == null
    ? "http://${aws_lb.this.dns_name}:${local.ports.grpc}"
    : "https://${var.domain}:${local.ports.grpc}"
  )
}

output "address" {
  description = "Target for your DNS record."
  value       = { name = aws_lb.this.dns_name, zone = aws_lb.this.zone_id }
}

output "nodes" {
  description = "ECS services of the nodes."
  value       = sort(keys(local.nodes))
}

output "metrics" {
  description = "CloudWatch's names of the load balancer and its target group."
  value       = { load_balancer = aws_lb.this.arn_suffix, target_group = aws_lb_target_group.this.arn_suffix }
}

output "rendered" {
  description = "The nodes' task definitions."
  value       = local.tasks
}
