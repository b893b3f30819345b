# Plans of a stack with models on SageMaker and Bedrock, with a mocked AWS provider.

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

run "all_of_them" {
  command = plan
  variables {
    services = {
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/two"
      domain          = "tickets.your.company"
      issuer          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
      client_ids      = ["console"]
    }
    hosted_models = { endpoint = {}, training = { bucket = "exports", prefix = "labelled" }, guardrail = true }
  }

  assert {
    condition     = contains(keys(module.registry.urls), "encoder") && contains(keys(module.network.security_groups), "models")
    error_message = "The encoder must have a repository, and its containers a security group."
  }

  assert {
    condition     = length(local.service_rights.rag.calls) == 1 && length(local.service_rights.tickets.calls) == 0
    error_message = "The RAG service alone may apply the guardrail."
  }

  assert {
    condition     = contains(keys(local.own_settings.rag), "TICKETS_LANGUAGE_MODEL__BEDROCK_GUARDRAIL")
    error_message = "The RAG service must name the guardrail in its calls."
  }

  assert {
    condition     = alltrue([for name in keys(local.workers) : contains(local.tasks[name].models, "labels")])
    error_message = "Workers must be able to read the label models of training jobs."
  }

  assert {
    condition     = length(setsubtract(module.hosted_models[0].alarms, output.alarms)) == 0 && length(module.hosted_models[0].alarms) == 3
    error_message = "The endpoint's alarms must be among those of the stack."
  }
}

run "the_registry_alone" {
  command = plan
  variables {
    hosted_models = {}
  }

  assert {
    condition     = output.hosted_models.endpoint == null && output.hosted_models.training == null && output.hosted_models.guardrail == null && output.hosted_models.group == "ticketstream-prod-labels"
    error_message = "Without an endpoint, training and a guardrail there must be the group of label models alone."
  }

  assert {
    condition     = alltrue([for name in keys(local.workers) : !contains(local.tasks[name].models, "labels")])
    error_message = "Without training jobs, workers must read their embedding model alone."
  }
}

run "none_of_them" {
  command = plan

  assert {
    condition     = length(module.hosted_models) == 0 && output.hosted_models == null && !contains(keys(module.registry.urls), "encoder")
    error_message = "Without hosted_models there must be nothing of them."
  }
}

run "refuses_a_guardrail_for_nobody" {
  command = plan
  variables {
    hosted_models = { guardrail = true }
  }
  expect_failures = [var.hosted_models]
}

run "refuses_fewer_machines_than_the_minimum" {
  command = plan
  variables {
    hosted_models = { endpoint = { min_instances = 2, max_instances = 1 } }
  }
  expect_failures = [var.hosted_models]
}
