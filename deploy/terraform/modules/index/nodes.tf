# Machines and disks. A disk belongs to its node and outlives machines and tasks.

resource "aws_ebs_volume" "node" {
  #checkov:skip=CKV2_AWS_9:Prod's backup plan selects volumes by their tag, which the scan doesn't follow
  for_each          = local.nodes
  availability_zone = each.value.zone
  size              = var.volume_gib
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.data_key_arn
  final_snapshot    = var.keep_data
  tags              = { Name = "${var.name}-${each.key}", backup = "${var.name}-daily" }
}

module "machine" {
  source          = "../capacity"
  for_each        = local.nodes
  name            = "${var.name}-${each.key}"
  global_name     = "${var.global_name}-${each.key}"
  cluster_name    = var.cluster.name
  node            = each.key
  subnets         = [each.value.subnet]
  security_group  = var.security_groups.hosts
  instance_type   = var.instance_type
  image_parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
  machines        = { min = 1, max = 1, managed = false }
  region          = var.region
  partition       = var.partition

  permissions_boundary = var.permissions_boundary

  # Lifetimes that have no common divisor: two nodes are hardly ever replaced on the same day.
  max_lifetime_days = [23, 29, 31][index(local.order, each.key)]

  volume = {
    id      = aws_ebs_volume.node[each.key].id
    arn     = aws_ebs_volume.node[each.key].arn
    key_arn = var.data_key_arn
    path    = local.path
    owner   = local.owner
    metrics = var.name # namespace
  }
}
