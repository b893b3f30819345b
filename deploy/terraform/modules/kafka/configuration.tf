# The broker configuration; the tests run a real cluster with the same file.

locals {
  # MSK accepts no comments; the file explains each setting.
  settings = [
    for line in split("\n", var.server_properties) : trimspace(line) if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

resource "aws_msk_configuration" "this" {
  name              = var.name
  kafka_versions    = [var.kafka_version]
  server_properties = "${join("\n", local.settings)}\n"
}
