"""The compose file is one: by the specification's schema, and by what its parts promise each other."""

import json
import re
import shutil
import subprocess
from itertools import product
from typing import Any

import pytest
import yaml

from core.environment import variables
from tests.deploy.compose.project import FILE, ours, read, services, workers
from tests.deploy.compose.schema import faults
from tests.deploy.tools import ROOT
from tests.rigs.kafka.jars import VERSION as KAFKA_VERSION

_SIZES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "sizes.yaml").read_text())
_SHAPES = ("single", "split")


def test_the_file_keeps_the_specification() -> None:
    """Its JSON schema finds nothing to say."""
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
    """A misspelt option, a condition that there isn't, a word where a list belongs, an unknown part."""
    assert faults(wrong)


@pytest.mark.parametrize("shape", _SHAPES)
def test_a_shape_runs_its_roles_and_no_other(shape: str) -> None:
    """`single` is the one that does all, `split` are the halves; what they write to is in both."""
    found = set(services(shape, "observability"))
    roles = {"pipeline"} if shape == "single" else set(_SIZES["roles"]) - {"pipeline"}
    assert found == roles | {"kafka", "qdrant", "topics", "prometheus", "grafana"}
    assert set(services()) == {"kafka", "qdrant", "topics"}, "without a profile no worker runs"


def test_the_shapes_are_never_run_together() -> None:
    """A port of the machine that both want: the second to start is refused it."""
    single, split = (
        {
            port.rpartition(":")[0]
            for name, service in services(shape).items()
            if name in workers()
            for port in service["ports"]
        }
        for shape in _SHAPES
    )
    assert single & split


def test_every_role_runs_as_the_sizes_say() -> None:
    """Module, port, cores and memory, time to drain, and as many threads as cores."""
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


def test_what_is_ours_may_do_nothing_but_its_work() -> None:
    """No root file system to write to, no capability, no way to get more."""
    assert set(ours()) == {*workers(), "topics"}
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "user", "network_mode", "pid"} & set(service), name


def test_what_is_not_ours_gets_no_new_privileges_either() -> None:
    """Their images drop root themselves; nothing in them gets it back."""
    for name, service in read()["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_our_settings_are_settings() -> None:
    """A worker refuses a variable of its prefix that it doesn't know."""
    for service in ours().values():
        assert set(service["environment"]) <= set(variables())


def test_one_waits_for_the_other_until_it_is_well() -> None:
    """Whoever is waited for has a health check, or ends by itself."""
    everything = read()["services"]
    for shape in _SHAPES:
        there = services(shape, "observability")
        for name, service in there.items():
            for other, how in service.get("depends_on", {}).items():
                assert other in there, f"{name} waits for {other}, which {shape} doesn't start"
                once = how["condition"] == "service_completed_successfully"
                assert once or how["condition"] == "service_healthy"
                assert (everything[other].get("restart") == "no") == once
                assert once or everything[other]["healthcheck"]["test"]
    for name, service in workers().items():
        assert set(service["depends_on"]) == {"topics", "kafka", "qdrant"}, name
        assert "healthcheck" not in service, "the image's own asks the worker"


def test_topics_have_one_copy_for_the_one_broker() -> None:
    """What topics.yaml declares three of; and Kafka's own topics likewise."""
    everything = read()["services"]
    assert everything["topics"]["entrypoint"] == ["ticketstream"]
    assert everything["topics"]["command"] == ["topics", "--replication", "1"]
    kafka = everything["kafka"]["environment"]
    copies = {name: value for name, value in kafka.items() if "REPLICA" in name or name.endswith("MIN_ISR")}
    assert set(copies.values()) == {"1"}
    assert len(copies) == 7
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_images_have_a_version_and_can_be_named_by_digest() -> None:
    """Never `latest`; each may be replaced by a variable; Kafka's is the one that the tests run."""
    text = FILE.read_text()
    for name, service in read()["services"].items():
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+(-\w+)?", service["image"]), name
    assert len(re.findall(r"image: \$\{\w+_IMAGE:-", text)) == len(re.findall(r"^ +image:", text, re.MULTILINE))
    assert "@sha256:<digest>" in text
    assert read()["services"]["kafka"]["image"].endswith(f":{KAFKA_VERSION}")
    pinned = read({"KAFKA_IMAGE": "apache/kafka:4.1.1@sha256:00"})
    assert pinned["services"]["kafka"]["image"].endswith("@sha256:00")


def test_only_this_machine_is_let_in() -> None:
    """Nothing here asks for a password, so every port is loopback's."""
    ports = [port for service in read()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_data_is_in_named_volumes() -> None:
    """Every volume that is declared is used, and the other way round; what is mounted from here is there, read only."""
    mounts = [mount.split(":") for service in read()["services"].values() for mount in service.get("volumes", [])]
    named = {mount[0] for mount in mounts if not mount[0].startswith(".")}
    assert named == set(read()["volumes"])
    for source, _, *mode in (mount for mount in mounts if mount[0].startswith(".")):
        assert (FILE.parent / source).exists(), source
        assert mode == ["ro"], source


def test_the_image_is_built_as_the_dockerfile_can() -> None:
    """Context, file, target and arguments are there."""
    for service in ours().values():
        build = service["build"]
        dockerfile = FILE.parent / build["context"] / build["dockerfile"]
        text = dockerfile.read_text()
        assert f" AS {build['target']}\n" in text
        for name, default in build["args"].items():
            assert f"ARG {name}={default}\n" in text, f"{name} has another default in the Dockerfile"
        assert service["image"].endswith(f":{_version()}")
        assert f"ARG VERSION={_version()}\n" in text


@pytest.mark.parametrize("profiles", [["single"], ["split"], ["single", "observability"], ["split", "observability"]])
def test_docker_compose_itself_takes_it(profiles: list[str]) -> None:
    """Its own reading: the same services, and every one with what it mounts."""
    chosen = [f"--profile={profile}" for profile in profiles]
    done = subprocess.run(
        [*_docker_compose(), f"--file={FILE}", *chosen, "config", "--format=json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]
    assert set(found) == set(services(*profiles))
    for name in set(found) & set(workers()):
        assert found[name]["command"] == services(*profiles)[name]["command"]
        assert found[name]["environment"] == services(*profiles)[name]["environment"]
        assert found[name]["read_only"]


def test_every_combination_of_profiles_has_what_it_names() -> None:
    """No service is started without what it depends on, whichever profiles are asked for."""
    for chosen in product([False, True], repeat=3):
        profiles = [name for name, is_in in zip(("single", "split", "observability"), chosen, strict=True) if is_in]
        there = services(*profiles)
        assert {other for service in there.values() for other in service.get("depends_on", {})} <= set(there)


def _docker_compose() -> list[str]:
    """The plug-in, or the program; not to be had from Debian, so its want is no fault in CI either."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True, check=False).returncode
        ):
            return command
    pytest.skip("there is no docker compose")


def _version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]
