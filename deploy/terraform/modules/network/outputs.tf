output "vpc_id" {
  description = "The VPC."
  value       = local.vpc_id
}

output "private_subnets" {
  description = "Subnets for tasks, by zone."
  value       = local.create ? { for zone, subnet in aws_subnet.private : zone => subnet.id } : { for zone, subnet in data.aws_subnet.private : zone => subnet.id }

  # A task that starts before its egress route exists can't pull its image.
  depends_on = [aws_route.nat, aws_route.out, aws_route_table_association.private, aws_vpc_endpoint.s3]
}

output "data_subnets" {
  description = "Subnets for brokers, by zone."
  value       = local.create ? { for zone, subnet in aws_subnet.data : zone => subnet.id } : { for zone, subnet in data.aws_subnet.data : zone => subnet.id }
}

output "security_groups" {
  description = "Ids of the security groups, by name (workers, clients, brokers, index, entry, hosts, endpoints; with HTTP services also services, api, cache; with functions also functions, with a VPC link also link)."
  value       = local.ids

  # A security group without its rules denies all traffic.
  depends_on = [
    aws_vpc_security_group_egress_rule.aws, aws_vpc_security_group_egress_rule.this, aws_vpc_security_group_ingress_rule.this,
  ]
}
