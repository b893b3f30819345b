"""Settings come from the environment; a mistake is one line that names the variable."""

import os
from pathlib import Path

import pytest

from core.environment import REMOVED, RENAMED, load_settings, shown_value, variables
from core.errors import ConfigError
from core.setting_types import default_cache, default_data, expand_home
from core.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("TICKETS_")]:
        monkeypatch.delenv(name)


def test_without_variables_every_setting_has_its_default() -> None:
    """A worker starts on a developer's machine without any variable."""
    assert load_settings() == Settings()
    assert load_settings().kafka.brokers == "localhost:9092"


def test_a_variable_overrides_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two underscores separate group and name, case is ignored, and numbers and JSON are parsed."""
    monkeypatch.setenv("TICKETS_KAFKA__BROKERS", "b-1:9092,b-2:9092")
    monkeypatch.setenv("tickets_writer__max_concurrent_batches", "9")
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", '{"debug": "cgrp"}')
    found = load_settings()
    assert found.kafka.brokers == "b-1:9092,b-2:9092"
    assert found.writer.max_concurrent_batches == 9
    assert found.kafka.extra == {"debug": "cgrp"}


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and task definitions pass an empty string for a variable that they don't set."""
    monkeypatch.setenv("TICKETS_INDEX__URL", "")
    monkeypatch.setenv("TICKETS_WRITER__MAX_CONCURRENT_BATCHES", "")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TICKETS_KAFKA__BROKER", "TICKETS_KAFKA__BROKER is not a setting; did you mean TICKETS_KAFKA__BROKERS?"),
        ("TICKETS_INDEX_URL", "did you mean TICKETS_INDEX__URL?"),
        ("tickets_health__prt", "tickets_health__prt is not a setting; did you mean TICKETS_HEALTH__PORT?"),
        ("TICKETS_ZZZ", "`ticketstream doctor --settings` lists them all"),
    ],
)
def test_an_unknown_variable_is_named_with_a_suggestion(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    """The error for a misspelt variable suggests the right one."""
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_variables_of_the_tests_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any variable that begins with TICKETS_TEST_ is ignored."""
    monkeypatch.setenv("TICKETS_TEST_KAFKA_BROKERS", "x")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TICKETS_WRITER__MAX_CONCURRENT_BATCHES", "many", "valid integer"),
        ("TICKETS_WRITER__MAX_CONCURRENT_BATCHES", "0", "greater than 0"),
        ("TICKETS_WRITER__BACKOFF_MAX_S", "-1", "greater than 0"),
        ("TICKETS_HEALTH__PORT", "65536", "less than or equal to 65535"),
        ("TICKETS_CLASSIFY__MIN_CONFIDENCE", "1.5", "less than or equal to 1"),
        ("TICKETS_LOG__FORMAT", "xml", "'json' or 'text'"),
        ("TICKETS_MODEL__DEVICE", "tpu", "'auto', 'cpu' or 'cuda'"),
        ("TICKETS_KAFKA__SECURITY_PROTOCOL", "ssl", "'SASL_SSL'"),
        ("TICKETS_TRACING__ENDPOINT", "collector:4318", "not a URL like http://"),
        ("TICKETS_TRACING__ENDPOINT", "http:///v1/traces", "not a URL like http://"),
        ("TICKETS_CLIENT__RAG_URL", "localhost:8082", "not a URL like http://"),
        ("TICKETS_CLIENT__TICKETS_URL", "http://[::1", "not a URL like http://"),
        ("TICKETS_CLIENT__TOKEN_URL", "https://auth.example:99999/token", "not a URL like http://"),
        ("TICKETS_WEB__TOKEN_URL", "//auth.example/token", "not a URL like http://"),
        ("TICKETS_WEB__TICKET_URL", "javascript:alert(1)", "not a URL like http://"),
        ("TICKETS_WORKFLOW__QUEUE_URL", "failures", "not a URL like http://"),
        ("TICKETS_KAFKA__SESSION_TIMEOUT_S", "inf", "a finite number"),
        ("TICKETS_KAFKA__SESSION_TIMEOUT_S", "nan", "a finite number"),
        ("TICKETS_INDEX__TIMEOUT_S", "1e9", "less than or equal to 1000000"),
        ("TICKETS_SEARCH__RECENT_HALF_LIFE_DAYS", "inf", "a finite number"),
        ("TICKETS_WRITER__MAX_BATCH_DELAY_MS", "3600000", "less than or equal to 10000"),
        ("TICKETS_WRITER__MAX_BATCH_RECORDS", "9" * 30, "less than or equal to 1000000000000"),
        ("TICKETS_MODEL__CACHE_DIR", "~nobody-of-this-name/x", "there is no such home folder"),
        ("TICKETS_TOPICS__RAW", "my tickets", "a topic's name has 1 to 249 letters"),
    ],
)
def test_a_malformed_variable_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """The error is one line with the variable, the fault and the value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name}: ")
    assert words in str(caught.value)
    assert f"(got {value!r})" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TICKETS_TRACING__ENDPOINT", "http://127.0.0.1:4318/v1/traces"),
        ("TICKETS_CLIENT__RAG_URL", "http://rag:8082"),
        ("TICKETS_CLIENT__TICKETS_URL", "https://[fd00::7]:8083/tickets/"),
        ("TICKETS_CLIENT__TOKEN_URL", "https://pool.auth.eu-central-1.amazoncognito.com/oauth2/token"),
        ("TICKETS_WEB__TOKEN_URL", "/token"),
        ("TICKETS_WEB__TICKET_URL", "https://help.example/tickets/{ticket_id}?tab=thread"),
        ("TICKETS_WORKFLOW__QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/failures"),
    ],
)
def test_a_url_is_kept_as_it_is(name: str, value: str) -> None:
    """Names of hosts, IPv6 addresses, ports, paths, queries and the ticket's place in a URL are taken."""
    group, _, field = name.removeprefix("TICKETS_").lower().partition("__")
    assert getattr(getattr(load_settings({name: value}), group), field) == value


@pytest.mark.parametrize(("one", "other"), [("DLQ", "RAW"), ("ENRICHED", "RAW"), ("EMBEDDED", "ENRICHED")])
def test_two_topics_of_one_name_are_refused(one: str, other: str) -> None:
    """Otherwise a worker would read its own dead letters, reject them, and write them again."""
    given = {f"TICKETS_TOPICS__{one}": "same", f"TICKETS_TOPICS__{other}": "same"}
    with pytest.raises(ConfigError) as caught:
        load_settings(given)
    assert {f"TICKETS_TOPICS__{name}" in str(caught.value) for name in (one, other)} == {True}
    assert str(caught.value).endswith("are both same; give each topic a name of its own")


def test_a_line_end_is_no_part_of_a_value() -> None:
    """A secret that is made from a file ends with one, which no broker or server would take for the secret."""
    found = load_settings({"TICKETS_KAFKA__SASL_PASSWORD": " hunter2 \r\n", "TICKETS_KAFKA__BROKERS": "\n"})
    assert found.kafka.sasl_password is not None
    assert found.kafka.sasl_password.get_secret_value() == " hunter2 "
    assert found.kafka.brokers == Settings().kafka.brokers


def test_a_value_that_is_not_utf8_is_refused() -> None:
    """Python reads other bytes as lone surrogates, which no client takes."""
    for name in ("TICKETS_KAFKA__GROUP", "TICKETS_KAFKA__EXTRA"):
        with pytest.raises(ConfigError, match=f"{name}: its value is not UTF-8"):
            load_settings({name: os.fsdecode(b'{"a": "\xff"}')})


def test_a_map_that_is_not_json_is_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for malformed librdkafka options does not quote them, as they may hold secrets."""
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", "sasl.password=hunter2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "TICKETS_KAFKA__EXTRA" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret appears neither in a list of settings nor in a repr, which a log may contain."""
    monkeypatch.setenv("TICKETS_KAFKA__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("TICKETS_INDEX__API_KEY", "hunter2")
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", '{"sasl.password": "hunter2"}')
    found = load_settings()
    assert found.kafka.sasl_password is not None
    assert found.kafka.sasl_password.get_secret_value() == "hunter2"
    assert "hunter2" not in "".join(shown_value(found, name) for name in variables())
    assert "hunter2" not in repr(found.index) + str(found.index)


def test_the_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ~ in a path is the home folder."""
    monkeypatch.setenv("TICKETS_INDEX__PATH", "~/tickets")
    assert load_settings().index.path == Path.home() / "tickets"


def test_folders_follow_the_xdg_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches and data are kept in the desktop's own folders for each."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    monkeypatch.setenv("XDG_DATA_HOME", "/d")
    assert (default_cache(), default_data()) == (Path("/c/ticketstream"), Path("/d/ticketstream"))


def test_a_user_without_a_home_folder_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run as a user that its image doesn't know; the settings then name folders of their own."""

    def home(_path: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_data() == Path("/.local/share/ticketstream")
    assert load_settings({"TICKETS_INDEX__PATH": "/data"}).index.path == Path("/data")


def test_an_unknown_home_folder_is_named() -> None:
    """A place that may be a folder or a bucket is expanded when it is opened."""
    assert expand_home("~/models") == Path.home() / "models"
    with pytest.raises(ConfigError, match=r"^~nobody-here/models: there is no such home folder; write the whole path$"):
        expand_home("~nobody-here/models")


def test_every_variable_is_described_and_has_a_shown_default() -> None:
    """Every variable has a description and a default, for docs/operations.md and `doctor --settings`."""
    defaults = Settings()
    for name, (default, description) in variables().items():
        assert description.endswith("."), name
        assert shown_value(defaults, name) == ("" if default == "{}" else default) or default == "{}", name


def test_a_given_environment_replaces_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come from the argument only."""
    monkeypatch.setenv("TICKETS_KAFKA__BROKERS", "mine:9092")
    found = load_settings({"TICKETS_KAFKA__GROUP": "theirs"})
    assert (found.kafka.brokers, found.kafka.group) == ("localhost:9092", "theirs")


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_a_renamed_variable_is_named_with_its_new_name(old: str, new: str) -> None:
    """The error for a renamed variable says its new name, which exists."""
    assert new in variables()
    with pytest.raises(ConfigError) as caught:
        load_settings({old: "1"})
    assert str(caught.value) == f"{old} is now called {new}"


@pytest.mark.parametrize("name", sorted(REMOVED))
def test_a_removed_variable_is_named_with_what_to_do_instead(name: str) -> None:
    """The error for a removed setting says what to do instead."""
    assert name not in variables()
    with pytest.raises(ConfigError) as caught:
        load_settings({name: "1"})
    assert str(caught.value) == f"{name} is no longer a setting: {REMOVED[name]}"
