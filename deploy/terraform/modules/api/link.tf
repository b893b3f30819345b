# The way to the RAG service. A VPC link of a REST API needs a network load balancer, which passes the connections on to the
# services' own: TLS ends there, and API Gateway checks its certificate against the domain of `rag_url`.

locals {
  connection = { type = "VPC_LINK", id = aws_api_gateway_vpc_link.this.id }
}

resource "aws_lb" "link" {
  #checkov:skip=CKV_AWS_150:dev can be destroyed with one command; in prod keep_data = true protects the load balancer
  #checkov:skip=CKV_AWS_91:It passes TLS connections on; the API's log has the requests, and the flow logs the connections
  name                             = "${var.name}-link"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = var.link.subnets
  security_groups                  = [var.link.security_group]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.keep_data

  # Only the VPC link connects to it, through PrivateLink, which comes from no security group.
  enforce_security_group_inbound_rules_on_private_link_traffic = "off"
}

resource "aws_lb_target_group" "link" {
  name        = "${var.name}-link"
  vpc_id      = var.link.vpc_id
  port        = 443
  protocol    = "TCP"
  target_type = "alb"

  health_check {
    protocol = "HTTPS"
    path     = "/"
    matcher  = "200-499" # whether the load balancer answers; it knows itself which tasks are ready
  }
}

resource "aws_lb_target_group_attachment" "link" {
  target_group_arn = aws_lb_target_group.link.arn
  target_id        = var.link.load_balancer_arn
  port             = 443
}

resource "aws_lb_listener" "link" {
  load_balancer_arn = aws_lb.link.arn
  port              = 443
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.link.arn
  }
}

resource "aws_api_gateway_vpc_link" "this" {
  name        = var.name
  description = "To the RAG service."
  target_arns = [aws_lb.link.arn]
}
