"""The compose file is valid, and agrees with the image, the settings and sizes.yaml."""

import json
import re
import shutil
import subprocess
from itertools import product
from typing import Any

import pytest
import yaml

from core.environment import variables
from tests.deploy.compose.project import FILE, SECURED, apps, background, opening, ours, read, services, workers
from tests.deploy.compose.schema import faults
from tests.deploy.tools import ROOT
from tests.rigs.kafka.jars import VERSION as KAFKA_VERSION
from tests.rigs.waiting import PATIENCE_S

_SIZES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
_PROFILES = ("single", "split")


def test_the_file_is_valid() -> None:
    """The file is valid by the compose specification's JSON schema."""
    assert faults(read()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"services": {"a": {"image": "a", "readonly": True}}},
        {"services": {"a": {"image": "a", "depends_on": {"b": {"condition": "healthy"}}}}},
        {"services": {"a": {"image": "a", "ports": "8080"}}},
        {"service": {}},
    ],
)
def test_the_schema_finds_a_fault(wrong: dict[str, Any]) -> None:
    """The schema refuses a misspelt option, an unknown condition, a string for a list, and an unknown section."""
    assert faults(wrong)


@pytest.mark.parametrize("profile", _PROFILES)
def test_a_profile_starts_its_roles_and_no_other(profile: str) -> None:
    """`single` starts the whole stream, `split` its two roles, and both start Kafka and Qdrant."""
    found = set(services(profile, "observability"))
    roles = {"pipeline"} if profile == "single" else set(_SIZES["roles"]) - {"pipeline"}
    assert found == roles | {"kafka", "qdrant", "topics", "prometheus", "grafana"}
    assert set(services()) == {"kafka", "qdrant", "topics"}, "without a profile no worker runs"


def test_the_profiles_collide() -> None:
    """Both profiles publish the same port, so the second to start fails."""
    single, split = (
        {
            port.rpartition(":")[0]
            for name, service in services(profile).items()
            if name in workers()
            for port in service["ports"]
        }
        for profile in _PROFILES
    )
    assert single & split


def test_every_role_runs_as_the_sizes_say() -> None:
    """A role's module, port, cores, memory and stop time are those of sizes.yaml, and it has a thread for each core."""
    task = _SIZES["task"]
    assert set(workers()) == set(_SIZES["roles"])
    for name, service in workers().items():
        role = _SIZES["roles"][name]
        assert service["command"] == [role["module"]]
        assert service["ports"] == [f"127.0.0.1:{role['port']}:{role['port']}"]
        assert service["cpus"] == task["vcpu"]
        assert service["mem_limit"] == f"{task['memory_mib']}m"
        assert service["stop_grace_period"] == f"{_SIZES['stop_timeout_s']}s"
        assert service["environment"]["TICKETS_MODEL__THREADS"] == str(task["vcpu"])


def test_every_http_service_runs_as_the_sizes_say() -> None:
    """An HTTP service has its module, port, cores and memory of sizes.yaml, and trusts the configured issuer."""
    assert set(apps()) == set(_SIZES["services"])
    for name, service in apps().items():
        size = _SIZES["services"][name]
        assert service["entrypoint"] == ["python", "-m"]
        assert service["command"] == [size["module"]]
        assert service["ports"] == [f"127.0.0.1:{size['port']}:{size['port']}"]
        assert service["cpus"] == size["vcpu"]
        assert service["mem_limit"] == f"{size['memory_mib']}m"
        assert service["healthcheck"]["test"] == ["CMD", "python", "/opt/health.py", str(size["port"])]
        assert service["environment"]["TICKETS_CACHE__URL"] == "redis://redis:6379/0"
        assert service["environment"][f"TICKETS_{'API' if name == 'tickets' else 'RAG'}__HOST"] == "0.0.0.0"
        given = read({"ISSUER": "https://issuer.example", "CLIENT_IDS": "console"})["services"][name]["environment"]
        assert given["TICKETS_AUTH__ISSUER"] == "https://issuer.example"
        assert given["TICKETS_AUTH__CLIENT_IDS"] == "console"


def test_the_archiver_and_the_producer_run_as_the_sizes_say() -> None:
    """Each has its command, port, cores, memory and stop time of sizes.yaml, and keeps its data in a volume."""
    assert set(background()) == set(_SIZES["background"])
    for name, service in background().items():
        size = _SIZES["background"][name]
        module = size.get("module")
        command = ["python", "-m", module] if module else ["ticketstream", "archive", "run"]
        assert [*service["entrypoint"], *service["command"]] == command
        assert service["ports"] == [f"127.0.0.1:{size['port']}:{size['port']}"]
        assert service["environment"]["TICKETS_HEALTH__PORT"] == str(size["port"])
        assert service["healthcheck"]["test"] == ["CMD", "python", "/opt/health.py", str(size["port"])]
        assert service["cpus"] == size["vcpu"]
        assert service["mem_limit"] == f"{size['memory_mib']}m"
        assert service["stop_grace_period"] == f"{size['stop_timeout_s']}s"
        assert f"{name}:/data" in service["volumes"]
    given = read({"INCOMING": "/srv/exports"})["services"]["producer"]
    assert "/srv/exports:/in:ro" in given["volumes"]
    assert given["environment"]["TICKETS_PRODUCER__SOURCES"] == "/in"


def test_the_cache_is_open_to_the_http_services_alone() -> None:
    """The cache publishes no port, keeps nothing on a disk, runs without root and starts with the HTTP services."""
    redis = read()["services"]["redis"]
    assert redis["profiles"] == ["services"]
    assert not {"ports", "volumes"} & set(redis)
    assert redis["user"] == "999:999"
    assert (redis["read_only"], redis["cap_drop"]) == (True, ["ALL"])
    assert {name for name, service in read()["services"].items() if "cache" in service["networks"]} == {
        "redis",
        *apps(),
    }


def test_our_containers_are_hardened() -> None:
    """Our containers have a read-only root, no capabilities, and can't gain privileges."""
    assert set(ours()) == {*workers(), *apps(), *background(), "topics"}
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "user", "network_mode", "pid"} & set(service), name


def test_no_container_gains_privileges() -> None:
    """Third-party containers drop root themselves, and can't regain it."""
    for name, service in read()["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_variable_is_a_setting() -> None:
    """Every variable of our containers is one that a worker knows."""
    for service in ours().values():
        assert set(service["environment"]) <= set(variables())


def test_a_service_waits_for_a_healthy_one() -> None:
    """A service that others wait for has a health check, or exits."""
    everything = read()["services"]
    for profile in _PROFILES:
        there = services(profile, "services", "observability")
        for name, service in there.items():
            for other, how in service.get("depends_on", {}).items():
                assert other in there, f"{name} waits for {other}, which {profile} doesn't start"
                once = how["condition"] == "service_completed_successfully"
                assert once or how["condition"] == "service_healthy"
                assert (everything[other].get("restart") == "no") == once
                assert once or everything[other]["healthcheck"]["test"]
    for name, service in workers().items():
        assert set(service["depends_on"]) == {"topics", "kafka", "qdrant"}, name
        assert "healthcheck" not in service, "the image's own asks the worker"


def test_topics_have_one_copy_for_the_one_broker() -> None:
    """Our topics and Kafka's internal ones have replication 1 here."""
    everything = read()["services"]
    assert everything["topics"]["entrypoint"] == ["ticketstream"]
    assert everything["topics"]["command"] == ["topics", "--replication", "1"]
    kafka = everything["kafka"]["environment"]
    copies = {name: value for name, value in kafka.items() if "REPLICA" in name or name.endswith("MIN_ISR")}
    assert set(copies.values()) == {"1"}
    assert len(copies) == 7
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_images_have_a_version_and_can_be_named_by_digest() -> None:
    """Every image has a version and a variable that replaces it; Kafka's version is the one in the tests."""
    text = FILE.read_text()
    for name, service in read()["services"].items():
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+(-\w+)?", service["image"]), name
    assert len(re.findall(r"image: \$\{\w+_IMAGE:-", text)) == len(re.findall(r"^ +image:", text, re.MULTILINE))
    assert "@sha256:<digest>" in text
    assert read()["services"]["kafka"]["image"].endswith(f":{KAFKA_VERSION}")
    pinned = read({"KAFKA_IMAGE": "apache/kafka:4.1.1@sha256:00"})
    assert pinned["services"]["kafka"]["image"].endswith("@sha256:00")


def test_ports_are_open_on_this_machine_only() -> None:
    """Every port is bound to loopback, because no service asks for a password."""
    ports = [port for service in read()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_the_file_says_that_it_asks_for_no_password() -> None:
    """Its first comment says so and names the secured file, and the guide does too."""
    assert "There are no passwords and no encryption" in opening()
    assert SECURED.name in opening()
    guide = (ROOT / "docs" / "deploy-compose.md").read_text()
    assert "No service asks for a password, and nothing is encrypted" in guide
    assert SECURED.name in guide


def test_data_is_in_named_volumes() -> None:
    """Declared and used volumes are the same; files of the repository exist and are mounted read-only."""
    mounts = [mount.split(":") for service in read()["services"].values() for mount in service.get("volumes", [])]
    named = {mount[0] for mount in mounts if not mount[0].startswith(".")}
    assert named == set(read()["volumes"])
    for source, _, *mode in (mount for mount in mounts if mount[0].startswith(".")):
        assert (FILE.parent / source).exists(), source
        assert mode == ["ro"], source


def test_the_image_is_built_as_the_dockerfile_can() -> None:
    """The Dockerfile has the target and the arguments, with the same defaults."""
    for service in ours().values():
        build = service["build"]
        dockerfile = FILE.parent / build["context"] / build["dockerfile"]
        text = dockerfile.read_text()
        assert f" AS {build['target']}\n" in text
        for name, default in build["args"].items():
            assert f"ARG {name}={default}\n" in text, f"{name} has another default in the Dockerfile"
        assert service["image"].endswith(f":{_version()}")
        assert f"ARG VERSION={_version()}\n" in text


@pytest.mark.parametrize(
    "profiles", [["single"], ["split"], ["single", "services"], ["single", "observability"], ["split", "observability"]]
)
def test_docker_compose_itself_takes_it(profiles: list[str]) -> None:
    """`docker compose config` finds the same services, commands and variables."""
    chosen = [f"--profile={profile}" for profile in profiles]
    done = subprocess.run(
        [*_docker_compose(), f"--file={FILE}", *chosen, "config", "--format=json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]
    assert set(found) == set(services(*profiles))
    for name in set(found) & set(workers()):
        assert found[name]["command"] == services(*profiles)[name]["command"]
        assert found[name]["environment"] == services(*profiles)[name]["environment"]
        assert found[name]["read_only"]


def test_every_combination_of_profiles_has_its_dependencies() -> None:
    """Every combination of profiles starts the services that its services depend on."""
    names = ("single", "split", "services", "observability")
    for chosen in product([False, True], repeat=len(names)):
        profiles = [name for name, is_in in zip(names, chosen, strict=True) if is_in]
        there = services(*profiles)
        assert {other for service in there.values() for other in service.get("depends_on", {})} <= set(there)


def _docker_compose() -> list[str]:
    """The command of Docker Compose. Debian doesn't package it, so it may be missing in CI too."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True, check=False).returncode
        ):
            return command
    pytest.skip("docker compose is not installed")


def _version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]
