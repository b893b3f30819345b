output "target_groups" {
  description = "ARNs of the target groups, by service."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn }

  # A service can't start with a target group that no listener forwards to.
  depends_on = [aws_lb_listener.this, aws_lb_listener_rule.similar, aws_lb_listener_rule.tickets]
}

output "address" {
  description = "Target for your DNS record."
  value       = { name = aws_lb.this.dns_name, zone = aws_lb.this.zone_id }
}

output "metrics" {
  description = "CloudWatch's names of the load balancer and of its target groups, by service."
  value = {
    load_balancer = aws_lb.this.arn_suffix
    target_groups = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
  }
}

output "arn" {
  description = "ARN of the load balancer, once its listener accepts connections."
  value       = aws_lb.this.arn
  depends_on  = [aws_lb_listener.this]
}
