"""The secured compose file: valid, complete, and acted out with a real Kafka, real workers and TLS on every port."""

import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from msgspec import Struct

from connectors.kafka.admin import open_cluster
from connectors.qdrant.open import open_index_for_writing
from core.environment import load_settings, variables
from core.errors import ConfigError, TicketstreamError, UnavailableError
from core.settings import IndexSettings, KafkaSettings
from local.ports import free_port
from tests.deploy.compose.acting import (
    SCRIPT,
    TICKETS,
    Addresses,
    Secrets,
    Worker,
    here,
    make_secrets,
    make_topics,
    produce,
    properties,
    wait_ready,
)
from tests.deploy.compose.project import FILE, SECURED, apps, background, read, read_secured, workers
from tests.deploy.compose.schema import faults
from tests.rigs.kafka.archive import quick_java
from tests.rigs.kafka.node import Node, format_all
from tests.rigs.qdrant_facade import FacadeProcess
from tests.rigs.waiting import PATIENCE_S, wait_until

_OBSERVABILITY: Final = FILE.parent / "observability"


class _Secured(Struct):
    """The project, its secrets, and its addresses and files on this machine."""

    project: dict[str, Any]
    secrets: Secrets
    addresses: Addresses


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    """The secrets of a run of the script."""
    return make_secrets(tmp_path_factory.mktemp("secured") / "secured")


def test_the_files_merge_to_a_valid_project(secrets: Secrets) -> None:
    """Both files are valid by the specification's schema, alone and merged, and have the same services."""
    assert faults(read(secrets.passwords, file=SECURED)) == []
    project = read_secured(secrets.passwords)
    assert faults(project) == []
    assert set(project["services"]) == set(read()["services"])


def test_no_password_has_a_default() -> None:
    """Without the variables that the script writes, compose refuses the project."""
    with pytest.raises(KeyError, match="KAFKA_PASSWORD"):
        read_secured({})


def test_every_port_asks_for_a_password_over_tls(secrets: Secrets) -> None:
    """All listeners of Kafka are SASL_SSL, Qdrant has a key and TLS, and no service keeps a plain address."""
    services = read_secured(secrets.passwords)["services"]
    protocols = services["kafka"]["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
    assert {entry.split(":")[1] for entry in protocols.split(",")} == {"SASL_SSL"}
    assert services["qdrant"]["environment"]["QDRANT__SERVICE__ENABLE_TLS"] == "true"
    assert services["qdrant"]["environment"]["QDRANT__SERVICE__API_KEY"] == secrets.passwords["QDRANT_API_KEY"]
    given = yaml.safe_dump([services[name]["environment"] for name in (*workers(), *apps(), *background(), "topics")])
    assert not {plain for plain in ("http://", "redis://") if plain in given}
    for name in apps():
        assert services[name]["environment"]["TICKETS_CACHE__PASSWORD"] == secrets.passwords["REDIS_PASSWORD"]
    for name in (*workers(), *apps(), *background(), "topics"):
        environment = services[name]["environment"]
        assert {n for n in environment if n.startswith("TICKETS_")} <= set(variables())
        assert environment["TICKETS_KAFKA__BROKERS"] == "kafka:19092", "the base file's settings stay"


def test_what_is_mounted_is_made_by_the_script(secrets: Secrets) -> None:
    """Every mounted file exists, is mounted read-only, and is readable to a container's user and closed to others."""
    for service in read(secrets.passwords, file=SECURED)["services"].values():
        for source, _target, mode in (mount.split(":") for mount in service.get("volumes", [])):
            assert mode == "ro"
            if not source.startswith("./secured/"):
                assert (FILE.parent / source).exists()
                continue
            mounted = secrets.folder / source.removeprefix("./secured/")
            for path in (mounted, *mounted.rglob("*")):
                wanted = 0o555 if path.is_dir() else 0o444
                assert stat.S_IMODE(path.stat().st_mode) & wanted == wanted, path
    assert stat.S_IMODE(secrets.folder.stat().st_mode) == 0o700
    for name in ("passwords.env", "client.env"):
        assert stat.S_IMODE((secrets.folder / name).stat().st_mode) == 0o600
    assert "/deploy/secured/" in (FILE.parents[1] / ".gitignore").read_text().splitlines()


def test_the_script_overwrites_no_secrets(secrets: Secrets) -> None:
    """A second run is refused, and the files stay as they are; the authority's key is kept nowhere."""
    before = {file: file.read_bytes() for file in secrets.folder.rglob("*") if file.is_file()}
    done = subprocess.run([SCRIPT, secrets.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, "exists" in done.stderr) == (2, True)
    assert {file: file.read_bytes() for file in secrets.folder.rglob("*") if file.is_file()} == before
    assert not [file for file in before if file.name.startswith("authority")]
    assert len(set(secrets.passwords.values())) == 4


def test_prometheus_asks_qdrant_with_its_key() -> None:
    """The secured configuration is the plain one, except that Qdrant is asked over TLS and with the key."""
    plain, secured = (
        yaml.safe_load((_OBSERVABILITY / name).read_text()) for name in ("prometheus.yml", "prometheus.secured.yml")
    )
    (qdrant,) = (job for job in secured["scrape_configs"] if job["job_name"] == "qdrant")
    assert qdrant.pop("scheme") == "https"
    assert qdrant.pop("tls_config") == {"ca_file": "/run/ticketstream/ca.pem"}
    assert qdrant.pop("authorization") == {"credentials_file": "/run/ticketstream/qdrant-key"}
    assert secured == plain


@pytest.mark.parametrize(
    ("service", "networks"),
    [
        ("kafka", {"kafka"}),
        ("qdrant", {"index"}),
        ("grafana", {"dashboard"}),
        ("prometheus", {"index", "metrics", "dashboard"}),
        ("redis", {"cache"}),
        *((name, {"kafka", "index", "metrics"}) for name in workers()),
        *((name, {"kafka", "metrics"}) for name in background()),
        ("rag", {"kafka", "index", "cache", "metrics"}),
        ("tickets", {"kafka", "cache", "metrics"}),
    ],
)
def test_a_service_reaches_only_what_it_talks_to(service: str, networks: set[str]) -> None:
    """Grafana reaches neither Kafka nor Qdrant, Prometheus no Kafka, and Kafka and Qdrant not each other."""
    assert set(read()["services"][service]["networks"]) == networks
    assert set(read()["networks"]) == {"kafka", "index", "cache", "metrics", "dashboard"}


# --- acted out


@pytest.fixture(scope="module")
def kafka(secrets: Secrets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Secured]:
    """Apache Kafka with the merged settings, except its addresses and folders."""
    java = quick_java(384)
    project = read_secured(secrets.passwords)
    addresses = {name: f"127.0.0.1:{free_port()}" for name in ("kafka:19092", "localhost:9092", "kafka:9093")}
    addresses |= {
        "/etc/kafka/secrets": str(secrets.folder / "kafka"),
        "/run/ticketstream/ca.pem": str(secrets.folder / "ca.pem"),
    }
    settings = properties(project["services"]["kafka"]["environment"])
    for option in ("listeners", "advertised.listeners", "controller.quorum.voters"):
        settings[option] = settings[option].replace("//:9092", "//localhost:9092").replace("//:", "//kafka:")
    folder = tmp_path_factory.mktemp("kafka")
    settings = {name: here(value, addresses) for name, value in settings.items()} | {"log.dirs": str(folder / "data")}
    node = Node(folder, addresses["kafka:19092"], settings, java=java)
    secured = _Secured(project, secrets, addresses)
    try:
        format_all(node)
        node.start()
        _wait_ready(node, _client(secured))
        yield secured
    finally:
        node.kill()


def _wait_ready(node: Node, client: KafkaSettings) -> None:
    def answers() -> bool:
        assert node.pid is not None, node.log_tail()
        with suppress(TicketstreamError):
            open_cluster(client).topics()
            return True
        return False

    wait_until(answers, node.log_tail)


def _client(secured: _Secured, **changes: str) -> KafkaSettings:
    """Settings of a client on this machine, from the script's file."""
    given = {name: value for name, value in secured.secrets.client.items() if name.startswith("TICKETS_")}
    settings = load_settings(given).kafka
    return settings.model_copy(update={"brokers": secured.addresses["localhost:9092"], **changes})


def test_the_secured_stream_indexes_tickets(kafka: _Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics are made, a worker gets ready, tickets of this machine reach the index, and SIGTERM drains it."""
    folder = kafka.secrets.folder
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", kafka.secrets.client["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"])
    key = kafka.secrets.passwords["QDRANT_API_KEY"]
    tls = (folder / "qdrant" / "cert.pem", folder / "qdrant" / "key.pem")
    with FacadeProcess(tmp_path / "qdrant", api_key=key, tls=tls) as qdrant, ExitStack() as running:
        addresses = kafka.addresses | {"https://qdrant:6334": qdrant.url}
        services = kafka.project["services"]
        make_topics(services["topics"], addresses)
        port = str(free_port())
        log = tmp_path / "worker.log"
        worker = running.enter_context(Worker(services["pipeline"], addresses, port, log))
        wait_ready(port, worker, log)
        produce(_client(kafka))
        wait_until(lambda: qdrant.counts().points_written >= TICKETS, log.read_text)
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0, log.read_text()
        assert not any(password in log.read_text() for password in kafka.secrets.passwords.values())
        for wrong in (None, "wrong"):
            with pytest.raises(ConfigError, match="TICKETS_INDEX__API_KEY"):
                open_index_for_writing(IndexSettings(url=qdrant.url, api_key=wrong), dimension=8, model="m")
        plain = IndexSettings(url=qdrant.url.replace("https", "http"), api_key=key, timeout_s=2)
        with pytest.raises(TicketstreamError):
            open_index_for_writing(plain, dimension=8, model="m")


@pytest.mark.parametrize("changes", [{"sasl_password": "wrong"}, {"sasl_username": "broker"}])
def test_a_client_without_the_password_is_refused(kafka: _Secured, changes: dict[str, Any]) -> None:
    """A wrong password, or another user's, is refused in one line."""
    secured = load_settings(
        {name: value for name, value in kafka.secrets.client.items() if name.startswith("TICKETS_KAFKA")}
        | {f"TICKETS_KAFKA__{name.upper()}": value for name, value in changes.items()}
        | {"TICKETS_KAFKA__BROKERS": kafka.addresses["localhost:9092"]}
    )
    with pytest.raises(UnavailableError, match=r"refuses us: .*Authentication failed"):
        open_cluster(secured.kafka).topics()


def test_a_client_without_tls_is_refused(kafka: _Secured) -> None:
    """The settings of the plain file reach no broker."""
    plain = KafkaSettings(brokers=kafka.addresses["kafka:19092"], startup_timeout_s=3)
    with pytest.raises(TicketstreamError):
        open_cluster(plain).topics()
