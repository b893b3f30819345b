"""Replaces the files of a branch that an emulator doesn't support; all others are applied as shipped."""

from typing import Final

from tests.deploy.terraform.workspace import ACCOUNT, REGION, Workspace

KAFKA_ARN: Final = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/ticketstream-dev/11111111-2222-3333-4444-555555555555-1"
CACHE_ARN: Final = f"arn:aws:elasticache:{REGION}:{ACCOUNT}:replicationgroup:ticketstream-dev-cache"
CACHE_USER_ARN: Final = f"arn:aws:elasticache:{REGION}:{ACCOUNT}:user:ticketstream-dev-services"
_KAFKA: Final = "terraform/modules/kafka"
_SCALING: Final = "terraform/modules/scaling"
_BROKERS: Final = ",".join(f"b-{i}.example.com:9098" for i in (1, 2, 3))
_KAFKA_OUTPUTS: Final = f"""
output "arn" {{
  value = "{KAFKA_ARN}"
}}

output "name" {{
  value = var.name
}}

output "broker_ids" {{
  value = ["1", "2", "3"]
}}

output "port" {{
  value = 9098
}}

output "brokers" {{
  value = "{_BROKERS}"
}}

output "settings" {{
  value = {{ TICKETS_KAFKA__SECURITY_PROTOCOL = "SASL_SSL", TICKETS_KAFKA__SASL_MECHANISM = "AWS_MSK_IAM" }}
}}
"""
_CACHE_OUTPUTS: Final = f"""
output "settings" {{
  value = {{
    TICKETS_CACHE__URL         = "rediss://cache.example.com:6379/0"
    TICKETS_CACHE__USERNAME    = "${{var.name}}-services"
    TICKETS_CACHE__AWS_CLUSTER = "${{var.name}}-cache"
  }}
}}

output "arns" {{
  value = {[CACHE_ARN, CACHE_USER_ARN]}
}}

output "nodes" {{
  value = {{ cache-001 = "${{var.name}}-cache-001" }}
}}
""".replace("'", '"')
_SCALING_OUTPUTS: Final = """
output "max_tasks" {
  value = var.max_tasks
}
"""


def for_moto(branch: Workspace) -> None:
    """Leave out MSK, whose clusters never become active in moto and have no configurations, and ElastiCache."""
    _without_brokers(branch)
    branch.leave_out("terraform/modules/cache/main.tf")
    branch.write("terraform/modules/cache/outputs.tf", _CACHE_OUTPUTS)
    _without_waiting(branch)
    branch.leave_out(f"{_KAFKA}/configuration.tf")


def for_ministack(branch: Workspace) -> None:
    """Leave out brokers, which ministack can't describe for the provider, and autoscaling."""
    _without_brokers(branch)
    _without_waiting(branch)
    branch.leave_out(f"{_SCALING}/main.tf")
    branch.write(f"{_SCALING}/outputs.tf", _SCALING_OUTPUTS)
    branch.leave_out("terraform/modules/request_scaling/main.tf")
    branch.write("terraform/modules/request_scaling/outputs.tf", _SCALING_OUTPUTS)
    branch.leave_out("terraform/modules/cpu_scaling/main.tf")
    branch.write("terraform/modules/cpu_scaling/outputs.tf", _SCALING_OUTPUTS)
    # ministack needs the namespace outside dns_config too.
    branch.change(
        "terraform/modules/index/main.tf",
        "  dns_config {\n",
        "  namespace_id = aws_service_discovery_private_dns_namespace.this.id\n\n  dns_config {\n",
    )


def _without_brokers(branch: Workspace) -> None:
    for place in ("main.tf", "storage.tf", "guard.tf"):
        branch.leave_out(f"{_KAFKA}/{place}")
    branch.write(f"{_KAFKA}/outputs.tf", _KAFKA_OUTPUTS)


def _without_waiting(branch: Workspace) -> None:
    """The emulators run no task, so no service becomes steady."""
    branch.change("terraform/modules/node/main.tf", "wait_for_steady_state = true", "wait_for_steady_state = false")
