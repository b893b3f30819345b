"""The rendered and registered task definitions are hardened, drain, and agree with sizes.yaml."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from core.environment import load_settings, variables
from tests.deploy.terraform.stacks import KINDS, Applied
from tests.deploy.terraform.workspace import DEPLOY

_SIZES: Final = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())
_SECRET: Final = re.compile(r"PASSWORD|API_KEY|SECRET|TOKEN$")
#: Docker's default capabilities, from its documentation.
_DOCKERS: Final = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
_WORKERS: Final = {
    "pipeline-minilm": "pipeline",
    "enrichment-minilm": "enrichment",
    "embedding-minilm": "embedding",
}


def _registered(applied: Applied) -> dict[str, dict[str, Any]]:
    client = applied.emulator.client("ecs")
    families = client.list_task_definition_families(status="ACTIVE")["families"]
    return {family: client.describe_task_definition(taskDefinition=family)["taskDefinition"] for family in families}


@pytest.fixture(scope="module")
def registered(moto: Applied, ministack: Applied) -> dict[str, dict[str, Any]]:
    """Every task definition by family, of split mode from moto and of single mode from ministack."""
    return _registered(ministack) | _registered(moto)


@pytest.fixture(scope="module")
def workers(registered: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The workers' task definitions, by role."""
    return {role: registered[family] for family, role in _WORKERS.items()}


def _containers(registered: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for family, task in registered.items():
        for container in task["containerDefinitions"]:
            yield f"{family}/{container['name']}", container


def test_all_are_registered(registered: dict[str, dict[str, Any]]) -> None:
    """The pipeline, both roles, the HTTP services, archive, producer, operator and three nodes are registered."""
    nodes = {f"ticketstream-dev-qdrant-{zone}" for zone in "abc"}
    assert set(registered) == {*_WORKERS, *_SIZES["services"], *_SIZES["background"], "operator", *nodes}


def test_all_are_hardened(registered: dict[str, dict[str, Any]]) -> None:
    """Every container has a read-only root, no capabilities, no privileges and a log; `prepare` keeps CHOWN."""
    for name, container in _containers(registered):
        assert container["readonlyRootFilesystem"] is True, name
        assert not container.get("privileged"), name
        dropped = container["linuxParameters"]["capabilities"]["drop"]
        assert dropped == (sorted(_DOCKERS - {"CHOWN"}) if name.endswith("/prepare") else ["ALL"]), name
        assert container["logConfiguration"]["options"]["awslogs-group"].startswith("/ticketstream-dev/"), name


def test_secrets_are_references(registered: dict[str, dict[str, Any]]) -> None:
    """No environment holds a secret; each secret is a field of an ARN, and a node gets the next key too."""
    given = {}
    for name, container in _containers(registered):
        assert [each["name"] for each in container.get("environment", []) if _SECRET.search(each["name"])] == [], name
        for secret in container.get("secrets", []):
            assert secret["valueFrom"].startswith("arn:aws:secretsmanager:"), name
            given[secret["name"]] = secret["valueFrom"].split(":", 7)[7]
    assert given == {
        "TICKETS_INDEX__API_KEY": "key::",
        "QDRANT__SERVICE__API_KEY": "key::",
        "QDRANT__SERVICE__ALT_API_KEY": "alt_key::",
    }


def test_a_worker_has_the_declared_size(workers: dict[str, dict[str, Any]]) -> None:
    """A worker's CPU, memory, module and port are those of sizes.yaml."""
    for role, task in workers.items():
        declared = _SIZES["roles"][role]
        worker = task["containerDefinitions"][0]
        settings = {each["name"]: each["value"] for each in worker["environment"]}
        assert int(task["cpu"]) == _SIZES["task"]["vcpu"] * 1024
        assert int(task["memory"]) == _SIZES["task"]["memory_mib"]
        assert [*worker["entryPoint"], *worker["command"]] == ["python", "-m", "bytewax.run", declared["module"]]
        assert settings["TICKETS_HEALTH__PORT"] == str(declared["port"])
        assert settings["TICKETS_HEALTH__HOST"] == "127.0.0.1"
        assert worker["healthCheck"]["command"] == ["CMD", "python", "/opt/health.py"]
        collector = task["containerDefinitions"][-1]
        scrape = yaml.safe_load(collector["environment"][0]["value"])
        (job,) = scrape["receivers"]["prometheus"]["config"]["scrape_configs"]
        assert job["metrics_path"] == _SIZES["health"]["metrics"]
        assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{declared['port']}"]


def test_a_service_has_the_declared_size_and_settings(registered: dict[str, dict[str, Any]]) -> None:
    """A service's CPU, memory, module and port are those of sizes.yaml, and its settings are accepted and complete."""
    for name, declared in _SIZES["services"].items():
        task = registered[name]
        service, prepare, collector = task["containerDefinitions"]
        assert (service["name"], prepare["name"], collector["name"]) == (name, "prepare", "collector")
        assert int(task["cpu"]) == declared["vcpu"] * 1024
        assert int(task["memory"]) == declared["memory_mib"]
        assert [*service["entryPoint"], *service["command"]] == ["python", "-m", declared["module"]]
        assert [port["containerPort"] for port in service["portMappings"]] == [declared["port"]]
        assert service["healthCheck"]["command"] == ["CMD", "python", "/opt/health.py", str(declared["port"])]
        given = {each["name"]: each["value"] for each in service["environment"]}
        given |= {each["name"]: "secret" for each in service["secrets"]}
        settings = load_settings({key: value for key, value in given.items() if key.startswith("TICKETS_")})
        assert settings.auth.client_ids == "console,crm"
        assert settings.cache.aws_cluster == "ticketstream-dev-cache"
        assert settings.limits.trusted_proxies == 1
        assert settings.kafka.sasl_mechanism == "AWS_MSK_IAM"
        if name == "rag":
            assert (settings.rag.host, settings.rag.port) == ("0.0.0.0", declared["port"])
            assert settings.index.collection == "tickets"
            assert (settings.rag.feedback_store, settings.rag.table_prefix) == ("dynamodb", "ticketstream-dev-")
            assert (settings.model.precision, settings.model.threads) == ("int8", declared["vcpu"])
            assert [each["name"] for each in service["secrets"]] == ["TICKETS_INDEX__API_KEY"]
        else:
            assert (settings.api.host, settings.api.port, settings.api.store) == (
                "0.0.0.0",
                declared["port"],
                "dynamodb",
            )
            assert settings.api.table_prefix == "ticketstream-dev-"
            assert service["secrets"] == []


def test_a_worker_drains_before_it_is_killed(workers: dict[str, dict[str, Any]]) -> None:
    """A drain ends ten seconds before ECS kills the task, after 120 s at most, Fargate's limit."""
    for task in workers.values():
        worker = task["containerDefinitions"][0]
        settings = {each["name"]: each["value"] for each in worker["environment"]}
        assert worker["stopTimeout"] == _SIZES["stop_timeout_s"] <= 120
        assert float(settings["TICKETS_WRITER__DRAIN_TIMEOUT_S"]) + 10 <= worker["stopTimeout"]


def test_spans_go_through_the_sidecar_to_x_ray(registered: dict[str, dict[str, Any]]) -> None:
    """Each task with a collector sends its spans to the address that the collector listens at, for X-Ray."""
    traced = set()
    for name, task in registered.items():
        containers = {each["name"]: each for each in task["containerDefinitions"]}
        given = {each["name"]: each["value"] for each in task["containerDefinitions"][0].get("environment", [])}
        if "TICKETS_TRACING__ENDPOINT" not in given:
            continue
        traced.add(name)
        collector = yaml.safe_load(containers["collector"]["environment"][0]["value"])
        receiver = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
        assert given["TICKETS_TRACING__ENDPOINT"] == f"http://{receiver}/v1/traces"
        assert collector["service"]["pipelines"]["traces"]["receivers"] == ["otlp"]
        assert collector["service"]["pipelines"]["traces"]["exporters"] == ["awsxray"]
        assert collector["exporters"]["awsxray"]["region"] == "us-east-1"
    assert traced >= {*_WORKERS, *_SIZES["services"]}


def test_a_workers_settings_exist(workers: dict[str, dict[str, Any]]) -> None:
    """Every variable is one that the worker knows."""
    for task in workers.values():
        worker = task["containerDefinitions"][0]
        names = {each["name"] for each in [*worker["environment"], *worker["secrets"]]}
        assert {name for name in names if name.startswith("TICKETS_")} <= set(variables())


def test_the_sidecar_is_not_essential(workers: dict[str, dict[str, Any]]) -> None:
    """The worker is essential and waits for its volumes; the collector is not essential."""
    for role, task in workers.items():
        worker, prepare, collector = task["containerDefinitions"]
        assert (worker["name"], prepare["name"], collector["name"]) == (role, "prepare", "collector")
        assert (worker["essential"], prepare["essential"], collector["essential"]) == (True, False, False)
        assert worker["dependsOn"] == [{"containerName": "prepare", "condition": "SUCCESS"}]
        assert prepare["mountPoints"] == worker["mountPoints"]


def test_the_index_has_three_copies_and_acks_with_two(registered: dict[str, dict[str, Any]]) -> None:
    """Qdrant's replication is 3 and its write consistency 2, each node has its own name, and all bootstrap from one."""
    uris = set()
    for zone in "abc":
        (node,) = registered[f"ticketstream-dev-qdrant-{zone}"]["containerDefinitions"]
        settings = {each["name"]: each["value"] for each in node["environment"]}
        assert settings["QDRANT__STORAGE__COLLECTION__REPLICATION_FACTOR"] == "3"
        assert settings["QDRANT__STORAGE__COLLECTION__WRITE_CONSISTENCY_FACTOR"] == "2"
        assert settings["QDRANT_BOOTSTRAP"] == "http://qdrant-a.ticketstream-dev.internal:6335"
        uris.add(settings["QDRANT_URI"])
    assert len(uris) == 3
    worker = registered["embedding-minilm"]["containerDefinitions"][0]
    assert {"name": "TICKETS_INDEX__REPLICATION_FACTOR", "value": "3"} in worker["environment"]


def test_the_gpu_variant_is_rendered_and_registered(moto: Applied) -> None:
    """With `gpu` the embedding is an EC2 task with one GPU, and ECS accepts it as rendered."""
    variables = KINDS["moto"].variables | {"gpu": {"instance_type": "g6.xlarge"}}
    rendered = moto.root.evaluate("module.ticketstream.task_definitions", variables)["embedding-minilm"]
    worker = rendered["containerDefinitions"][0]
    assert rendered["requiresCompatibilities"] == ["EC2"]
    assert worker["resourceRequirements"] == [{"type": "GPU", "value": "1"}]
    assert "/pipeline-gpu:" in worker["image"]
    assert {"name": "TICKETS_MODEL__DEVICE", "value": "cuda"} in worker["environment"]
    rendered["family"] = "embedding-gpu-by-hand"
    client = moto.emulator.client("ecs")
    assert client.register_task_definition(**rendered)["taskDefinition"]["status"] == "ACTIVE"
    client.deregister_task_definition(taskDefinition="embedding-gpu-by-hand:1")


def test_the_gpu_variant_differs_in_the_gpu_alone() -> None:
    """embedding-gpu.json differs from embedding.json only in EC2 and the GPU."""
    folder = DEPLOY / "k8s-ecs" / "ecs"
    plain = (folder / "embedding.json").read_text()
    with_gpu = (folder / "embedding-gpu.json").read_text()
    line = '      "resourceRequirements": [{"type": "GPU", "value": "1"}],\n'
    assert line in with_gpu
    assert with_gpu.replace(line, "").replace('["EC2"]', '["FARGATE"]') == plain


@pytest.mark.parametrize("name", sorted(_SIZES["services"]))
def test_a_service_differs_from_a_worker_in_its_command_and_port(name: str) -> None:
    """The template of a service is embedding.json, except its command, its port and the port that the check asks."""
    folder = DEPLOY / "k8s-ecs" / "ecs"
    plain = (folder / "embedding.json").read_text()
    service = (folder / f"{name}.json").read_text()
    for ours, theirs in (
        ('      "portMappings": [{"containerPort": ${port}, "protocol": "tcp"}],\n', ""),
        ('"/opt/health.py", "${port}"]', '"/opt/health.py"]'),
        ('["python", "-m"]', '["python", "-m", "bytewax.run"]'),
        (f'"name": "{name}"', '"name": "embedding"'),
        (f'"awslogs-stream-prefix": "{name}"', '"awslogs-stream-prefix": "embedding"'),
    ):
        assert ours in service
        service = service.replace(ours, theirs)
    assert service == plain


@pytest.mark.parametrize("name", sorted(_SIZES["background"]))
def test_a_service_without_requests_differs_from_a_worker_in_its_command(name: str) -> None:
    """The template of the archiver and of the producer is embedding.json, except its command and the checked port."""
    folder = DEPLOY / "k8s-ecs" / "ecs"
    plain = (folder / "embedding.json").read_text()
    service = (folder / f"{name}.json").read_text()
    entry = '["ticketstream"]' if name == "archive" else '["python", "-m"]'
    for ours, theirs in (
        ('"/opt/health.py", "${port}"]', '"/opt/health.py"]'),
        (f'"entryPoint": {entry}', '"entryPoint": ["python", "-m", "bytewax.run"]'),
        (f'"name": "{name}"', '"name": "embedding"'),
        (f'"awslogs-stream-prefix": "{name}"', '"awslogs-stream-prefix": "embedding"'),
    ):
        assert ours in service
        service = service.replace(ours, theirs)
    assert service.replace('["archive", "run"]', '["${module}"]') == plain


def test_the_volumes_are_given_to_the_images_user() -> None:
    """prepare.json gives the volumes to the user of the Dockerfile."""
    dockerfile = DEPLOY / "docker" / "Dockerfile"
    if not dockerfile.exists():
        pytest.skip("there is no Dockerfile")
    (user,) = re.findall(r"^USER (\S+)$", dockerfile.read_text(), flags=re.MULTILINE)
    assert f'"command": ["{user}", ' in (DEPLOY / "k8s-ecs" / "ecs" / "prepare.json").read_text()
