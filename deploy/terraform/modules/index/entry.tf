# One address for the three nodes. An unhealthy node leaves the load balancer within half a minute.

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:dev can be destroyed with one command; in prod keep_data = true protects the load balancer
  #checkov:skip=CKV_AWS_91:A network load balancer writes no access log without TLS; the flow logs record connections
  name                             = "${var.name}-index"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = [for zone in sort(keys(var.subnets)) : var.subnets[zone]]
  security_groups                  = [var.security_groups.entry]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.keep_data
}

resource "aws_lb_target_group" "this" {
  name                   = "${var.name}-index"
  vpc_id                 = var.vpc_id
  port                   = local.ports.grpc
  protocol               = "TCP"
  target_type            = "ip"
  deregistration_delay   = 30
  connection_termination = true # otherwise gRPC connections stay open for ever

  health_check {
    protocol            = "HTTP"
    port                = local.ports.http
    path                = "/readyz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = local.ports.grpc
  protocol          = var.certificate_arn == null ? "TCP" : "TLS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = var.certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"
  alpn_policy       = var.certificate_arn == null ? null : "HTTP2Only"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
