# The brokers' configuration: the file that the tests run a real cluster with.

locals {
  # MSK takes settings alone; why each is as it is, is said in the file.
  settings = [
    for line in split("\n", var.server_properties) : trimspace(line) if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

resource "aws_msk_configuration" "this" {
  name              = var.name
  kafka_versions    = [var.kafka_version]
  server_properties = "${join("\n", local.settings)}\n"
}
