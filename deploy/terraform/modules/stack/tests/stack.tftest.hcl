# Plans of the whole stack with a mocked AWS provider, without an account or a network.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  environment = "prod"
  account_id  = "123456789012"
  region      = "us-east-1"
  mode        = "split"
  image_tag   = "0.1.0"
  keep_data   = true
  models      = { minilm = { store = "models", collection = "tickets" } }
  network     = { cidr = "10.30.0.0/16", zones = ["us-east-1a", "us-east-1b", "us-east-1c"], nat_per_zone = true }
  kafka       = { volume_gib = 100, volume_max_gib = 200 }
  images      = { collector = "collector:v0.43.3", qdrant = "qdrant:v1.15.5" }
  subscribers = { critical = ["oncall@your.company"] }

  index = {
    instance_type   = "r7i.xlarge"
    cpu             = 3840
    memory_mib      = 28672
    volume_gib      = 200
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/one"
    domain          = "index.your.company"
  }
}

run "split" {
  command = plan

  assert {
    condition     = toset(output.services) == toset(["archive", "embedding-minilm", "enrichment-minilm", "qdrant-a", "qdrant-b", "qdrant-c"])
    error_message = "In split mode the services must be enrichment, embedding and three nodes."
  }

  assert {
    condition     = alltrue([for name, worker in local.workers : module.scaling[name].max_tasks <= worker.partitions])
    error_message = "A worker may have at most as many tasks as its topic has partitions."
  }

  assert {
    condition     = local.workers["embedding-minilm"].group == local.sizes.roles.embedding.group
    error_message = "The consumer group must be that of deploy/sizes.yaml."
  }

  assert {
    condition     = length(module.network.data_subnets) == 3
    error_message = "The stack must span three zones."
  }

  assert {
    condition     = module.index.url == "https://index.your.company:6334"
    error_message = "With a certificate the URL of the index must have its domain and https."
  }
}

run "single" {
  command = plan
  variables {
    mode         = "single"
    archive_copy = { bucket = "ticketstream-prod-euw1-copy-archive-123456789012", key_arn = "arn:aws:kms:us-east-1:123456789012:key/copy" }
  }

  assert {
    condition     = local.tasks.operator.objects[1].bucket_arn == "arn:aws:s3:::ticketstream-prod-euw1-copy-archive-123456789012" && toset(local.tasks.operator.objects[1].actions) == toset(["s3:GetObject"])
    error_message = "The operator must be able to read the copy of a lost region's archive, and no more."
  }

  assert {
    condition     = toset(output.services) == toset(["archive", "pipeline-minilm", "qdrant-a", "qdrant-b", "qdrant-c"])
    error_message = "In single mode the services must be one pipeline and three nodes."
  }

  assert {
    condition     = local.workers["pipeline-minilm"].group == local.sizes.roles.pipeline.group
    error_message = "The consumer group must be that of deploy/sizes.yaml."
  }
}

run "upgrade" {
  command = plan

  variables {
    models = {
      minilm = { store = "models", collection = "tickets" }
      larger = { store = "models-2", collection = "tickets-2", group = "ticketstream-2", enriched_topic = "tickets.enriched-2", embedded_topic = "tickets.embedded-2" }
    }
  }

  assert {
    condition     = local.workers["embedding-larger"].group == "ticketstream-2-embedding" && local.workers["embedding-larger"].reads == "tickets.enriched-2" && length(local.workers) == 4
    error_message = "A second model must have its own services, groups and topics."
  }
}

run "services" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
      client_ids      = ["console"]
    }
  }

  assert {
    condition     = length(setintersection(output.services, ["rag", "tickets"])) == 2 && output.api.url == "https://tickets.your.company"
    error_message = "With services the stack must run rag and tickets at their domain."
  }

  assert {
    condition     = toset(keys(module.tables[0].names)) == toset(["Feedback", "TicketMetadata", "Tickets", "UserSessions"])
    error_message = "The services must have their four tables."
  }
}

run "no_services" {
  command = plan

  assert {
    condition     = output.api == null && length(module.tables) + length(module.cache) + length(module.balancer) + length(module.service) == 0
    error_message = "Without services there must be nothing of them."
  }
}

run "refuses_services_without_clients" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
    }
  }
  expect_failures = [var.services]
}

run "refuses_an_issuer_without_tls" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "http://issuer.your.company"
      client_ids      = ["console"]
    }
  }
  expect_failures = [var.services]
}

run "refuses_to_search_an_unknown_model" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
      client_ids      = ["console"]
      model           = "larger"
    }
  }
  expect_failures = [var.services]
}

run "refuses_an_inference_profile_without_its_model" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
      client_ids      = ["console"]
      language_models = ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.model"]
    }
  }
  expect_failures = [var.services]
}

run "refuses_a_secret_among_the_services_settings" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
      client_ids      = ["console"]
      settings        = { TICKETS_KAFKA__SSL_KEY_PASSWORD = "hunter2" }
    }
  }
  expect_failures = [var.services]
}

run "gpu" {
  command = plan
  variables {
    gpu = { instance_type = "g6.xlarge" }
  }

  assert {
    condition     = local.templates.embedding == "embedding-gpu.json" && length(module.gpu) == 1
    error_message = "With gpu the embedding must run on GPU machines."
  }
}

run "refuses_plaintext_in_prod" {
  command = plan
  variables {
    kafka = { volume_gib = 100, volume_max_gib = 200, authentication = "plaintext" }
  }
  expect_failures = [var.kafka]
}

run "refuses_an_index_without_tls_in_prod" {
  command = plan
  variables {
    index = { instance_type = "r7i.xlarge", cpu = 3840, memory_mib = 28672, volume_gib = 200 }
  }
  expect_failures = [var.index]
}

run "refuses_an_index_with_two_copies" {
  command         = plan
  expect_failures = [var.index]

  variables {
    index = {
      instance_type   = "r7i.xlarge"
      cpu             = 3840
      memory_mib      = 28672
      volume_gib      = 200
      replication     = 2
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/one"
      domain          = "index.your.company"
    }
  }
}

run "refuses_two_zones" {
  command = plan
  variables {
    network = { cidr = "10.30.0.0/16", zones = ["us-east-1a", "us-east-1b", "us-east-1b"], nat_per_zone = true }
  }
  expect_failures = [var.network]
}

run "refuses_a_secret_among_the_settings" {
  command = plan
  variables {
    settings = { TICKETS_KAFKA__SSL_KEY_PASSWORD = "hunter2" }
  }
  expect_failures = [var.settings]
}

run "refuses_a_secret_in_place_of_its_arn" {
  command = plan
  variables {
    secrets = { TICKETS_INDEX__API_KEY = "hunter2" }
  }
  expect_failures = [var.secrets]
}

run "refuses_the_tag_latest" {
  command = plan
  variables {
    image_tag = "latest"
  }
  expect_failures = [var.image_tag]
}

run "refuses_two_models_in_one_collection" {
  command         = plan
  expect_failures = [var.models]

  variables {
    models = {
      minilm = { store = "models", collection = "tickets" }
      larger = { store = "models-2", collection = "tickets", group = "ticketstream-2", enriched_topic = "tickets.enriched-2", embedded_topic = "tickets.embedded-2" }
    }
  }
}

run "refuses_two_models_in_one_group" {
  command         = plan
  expect_failures = [var.models]

  variables {
    models = {
      minilm = { store = "models", collection = "tickets" }
      larger = { store = "models-2", collection = "tickets-2", enriched_topic = "tickets.enriched-2", embedded_topic = "tickets.embedded-2" }
    }
  }
}

run "titan_embeds" {
  command = plan

  variables {
    models   = { titan = { store = "models", collection = "tickets", settings = { TICKETS_MODEL__NAME = "titan-embed-text-v2" } } }
    network  = { cidr = "10.30.0.0/16", zones = ["us-east-1a", "us-east-1b", "us-east-1c"], interface_endpoints = ["logs"] }
    services = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two", domain = "tickets.your.company", issuer = "https://issuer.your.company", client_ids = ["console"] }
  }

  assert {
    condition = toset([for name, task in local.tasks : name if try(length(task.embeds), 0) > 0]) == toset(["embedding-titan", "operator", "rag"]) && alltrue([
      for task in values(local.tasks) : try(tolist(task.embeds)[0], "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0") == "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
    ])
    error_message = "Whoever embeds may call Titan, and nobody else, and no other model."
  }

  assert {
    condition     = local.by_model["titan"].TICKETS_MODEL__NAME == "titan-embed-text-v2" && local.own_settings.rag.TICKETS_MODEL__NAME == "titan-embed-text-v2"
    error_message = "The workers and the RAG service must use the model's settings."
  }

  assert {
    condition     = length(local.titan_endpoints) == 1 && contains(local.titan_endpoints, "bedrock-runtime")
    error_message = "A stack with VPC endpoints must have one for Bedrock."
  }
}

run "titan_in_another_region" {
  command = plan

  variables {
    settings = { TICKETS_MODEL__NAME = "titan-embed-text-v2", TICKETS_MODEL__AWS_REGION = "us-west-2" }
    network  = { cidr = "10.30.0.0/16", zones = ["us-east-1a", "us-east-1b", "us-east-1c"], interface_endpoints = ["logs"] }
  }

  assert {
    condition     = tolist(local.tasks["embedding-minilm"].embeds) == tolist(["arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-embed-text-v2:0"]) && length(local.titan_endpoints) == 0
    error_message = "The right is for the model of the region that is called, which has no VPC endpoint here."
  }
}

run "refuses_two_models_in_one_topic" {
  command         = plan
  expect_failures = [var.models]

  variables {
    models = {
      minilm = { store = "models", collection = "tickets" }
      larger = { store = "models-2", collection = "tickets-2", group = "ticketstream-2", embedded_topic = "tickets.embedded-2" }
    }
  }
}

run "refuses_a_gpu_for_the_whole_stream" {
  command = plan
  variables {
    mode = "single"
    gpu  = { instance_type = "g6.xlarge" }
  }
  expect_failures = [var.gpu]
}

run "refuses_to_delete_data_in_prod" {
  command = plan
  variables {
    keep_data = false
  }
  expect_failures = [var.keep_data]
}

run "refuses_prod_without_a_subscriber" {
  command = plan
  variables {
    subscribers = { warning = ["team@your.company"] }
  }
  expect_failures = [var.subscribers]
}

run "refuses_a_new_and_an_existing_vpc" {
  command         = plan
  expect_failures = [var.network]

  variables {
    network = {
      cidr     = "10.30.0.0/16"
      existing = { vpc_id = "vpc-1", private_subnets = { us-east-1a = "subnet-a", us-east-1b = "subnet-b", us-east-1c = "subnet-c" } }
    }
    kafka = { existing = { arn = "arn:aws:kafka:us-east-1:123456789012:cluster/yours/01234567-1", security_group = "sg-1", brokers = "b-1.yours:9098" } }
  }
}

run "refuses_new_brokers_without_subnets" {
  command         = plan
  expect_failures = [var.network]

  variables {
    network = { existing = { vpc_id = "vpc-1", private_subnets = { us-east-1a = "subnet-a", us-east-1b = "subnet-b", us-east-1c = "subnet-c" } } }
  }
}
