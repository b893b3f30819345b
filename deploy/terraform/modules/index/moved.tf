# Before version 0.3 nodes were numbered by their zones' order.

moved {
  from = aws_ebs_volume.node["qdrant-0"]
  to   = aws_ebs_volume.node["qdrant-a"]
}

moved {
  from = aws_ecs_service.node["qdrant-0"]
  to   = module.first.aws_ecs_service.this
}

moved {
  from = aws_ebs_volume.node["qdrant-1"]
  to   = aws_ebs_volume.node["qdrant-b"]
}

moved {
  from = aws_ecs_service.node["qdrant-1"]
  to   = module.second.aws_ecs_service.this
}

moved {
  from = aws_ebs_volume.node["qdrant-2"]
  to   = aws_ebs_volume.node["qdrant-c"]
}

moved {
  from = aws_ecs_service.node["qdrant-2"]
  to   = module.third.aws_ecs_service.this
}
