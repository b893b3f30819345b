# The broker configuration; the tests run a real cluster with the same file.

locals {
  # MSK accepts no comments; the file explains each setting.
  settings = [
    for line in split("\n", var.server_properties) : trimspace(line) if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

# A new Kafka version needs a new configuration, which must exist before the cluster leaves the old one: so its name
# contains the version.
resource "aws_msk_configuration" "this" {
  count             = var.existing == null ? 1 : 0
  name              = "${var.name}-${replace(var.kafka_version, ".", "-")}"
  kafka_versions    = [var.kafka_version]
  server_properties = "${join("\n", local.settings)}\n"

  lifecycle {
    create_before_destroy = true
  }
}
