output "vpc_id" {
  value = aws_vpc.this.id
}

output "private_subnets" {
  description = "Subnets for tasks, by zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }

  # A task that starts before its egress route exists can't pull its image.
  depends_on = [aws_route.nat, aws_route.out, aws_route_table_association.private, aws_vpc_endpoint.s3]
}

output "data_subnets" {
  description = "Subnets for brokers, by zone."
  value       = { for zone, subnet in aws_subnet.data : zone => subnet.id }
}

output "security_groups" {
  description = "Ids of the security groups, by name (workers, clients, brokers, index, entry, hosts, endpoints)."
  value       = { for name, group in aws_security_group.this : name => group.id }

  # A security group without its rules denies all traffic.
  depends_on = [
    aws_vpc_security_group_egress_rule.aws, aws_vpc_security_group_egress_rule.this, aws_vpc_security_group_ingress_rule.this,
  ]
}
