# Models on SageMaker and Bedrock.

locals {
  hosted    = var.hosted_models != null
  ec2_arn   = "arn:${local.partition}:ec2:${var.region}:${var.account_id}"
  guardrail = one([for hosted in module.hosted_models : hosted.guardrail if hosted.guardrail != null])

  # Workers read label models of training jobs by TICKETS_CLASSIFY__MODEL.
  label_models = try(var.hosted_models.training, null) == null ? [] : ["labels"]

  # The settings of the workers whose collection is searched.
  hosted_model = local.searched == null ? local.first : local.searched
  hosted_settings = { for setting, value in merge(local.by_model[local.hosted_model], local.by_index[local.hosted_model]) : setting => value
    if startswith(setting, "TICKETS_MODEL__") && setting != "TICKETS_MODEL__THREADS"
  }
}

module "hosted_models" {
  source      = "../hosted_models"
  count       = local.hosted ? 1 : 0
  name        = local.name
  global_name = local.global_name
  account_id  = var.account_id
  region      = var.region
  partition   = local.partition
  image       = { url = "${module.registry.urls["encoder"]}:${var.image_tag}", repository_arn = module.registry.arns["encoder"] }
  environment = merge(local.hosted_settings, { AWS_REGION = var.region, TICKETS_MODEL__DEVICE = "cpu" })
  models      = { bucket = local.models_bucket, store = var.models[local.hosted_model].store, key_arn = module.keys.arns["data"] }
  endpoint    = var.hosted_models.endpoint
  training    = var.hosted_models.training
  guardrail   = var.hosted_models.guardrail
  log_days    = var.log_days
  topics      = module.observability.topics

  permissions_boundary = var.permissions_boundary

  network = {
    subnets        = [for id in values(module.network.private_subnets) : "${local.ec2_arn}:subnet/${id}"]
    security_group = "${local.ec2_arn}:security-group/${module.network.security_groups["models"]}"
  }
}
