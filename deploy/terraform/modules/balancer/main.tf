# One internal address for the HTTP services, over TLS. Paths decide which service answers.

locals {
  # Longer than the longest request (TICKETS_RAG__TIMEOUT_S, 60 s), and shorter than a service keeps an idle connection
  # behind a proxy (75 s): the load balancer never sends a request on a connection that its target is closing.
  idle_s = 65
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:dev can be destroyed with one command; in prod keep_data = true protects the load balancer
  #checkov:skip=CKV_AWS_91:The services log each request with its id, tenant, status and time; the flow logs record connections
  name                       = "${var.name}-api"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.subnets
  security_groups            = [var.security_group]
  idle_timeout               = local.idle_s
  drop_invalid_header_fields = true
  enable_deletion_protection = var.keep_data
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:The load balancer terminates TLS; security groups keep all other traffic from the tasks
  for_each                      = var.services
  name                          = "${var.name}-${each.key}"
  vpc_id                        = var.vpc_id
  port                          = each.value
  protocol                      = "HTTP"
  target_type                   = "ip"
  load_balancing_algorithm_type = "least_outstanding_requests"

  # A deregistered task finishes its requests; ECS sends SIGTERM after this delay.
  deregistration_delay = local.idle_s

  # A task gets requests when it can answer them. ECS replaces a task whose check fails, so the check waits out an outage
  # of two minutes; the container's own check finds a task that hangs.
  health_check {
    path                = var.ready
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 8
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["rag"].arn
  }
}

# Probes and metrics are for the platform, and need no token.
resource "aws_lb_listener_rule" "hidden" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 10

  condition {
    path_pattern {
      values = var.hidden
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "similar" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 20

  condition {
    path_pattern {
      values = ["/api/v1/tickets/*/similar"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["rag"].arn
  }
}

resource "aws_lb_listener_rule" "tickets" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 30

  condition {
    path_pattern {
      values = ["/api/v1/tickets", "/api/v1/tickets/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["tickets"].arn
  }
}
