"""Settings come from the environment, and a mistake in it is one line that names the variable."""

import os
from pathlib import Path

import pytest

from core.environment import REMOVED, RENAMED, load_settings, shown_value, variables
from core.errors import ConfigError
from core.settings import Settings, default_cache, default_data


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("TICKETS_")]:
        monkeypatch.delenv(name)


def test_nothing_set_is_all_defaults() -> None:
    """A worker starts on a developer's machine with no variable at all."""
    assert load_settings() == Settings()
    assert load_settings().kafka.brokers == "localhost:9092"


def test_a_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Group and name are parted by two underscores; case doesn't matter; numbers and JSON are read."""
    monkeypatch.setenv("TICKETS_KAFKA__BROKERS", "b-1:9092,b-2:9092")
    monkeypatch.setenv("tickets_writer__max_concurrent_batches", "9")
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", '{"debug": "cgrp"}')
    found = load_settings()
    assert found.kafka.brokers == "b-1:9092,b-2:9092"
    assert found.writer.max_concurrent_batches == 9
    assert found.kafka.extra == {"debug": "cgrp"}


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and task definitions pass empty strings for what they leave out."""
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
def test_an_unknown_variable_is_named_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """A typo never passes in silence."""
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_tests_own_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """TICKETS_TEST_* is not ours to judge."""
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
    ],
)
def test_a_malformed_variable_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """One line: which, what is wrong with it, and what was given."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{name}: ")
    assert words in str(caught.value)
    assert f"(got {value!r})" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_map_that_is_no_json_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """librdkafka's further options are JSON, and they may hold secrets."""
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", "sasl.password=hunter2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "TICKETS_KAFKA__EXTRA" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the listing of settings nor by the representation that a log would have."""
    monkeypatch.setenv("TICKETS_KAFKA__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("TICKETS_INDEX__API_KEY", "hunter2")
    monkeypatch.setenv("TICKETS_KAFKA__EXTRA", '{"sasl.password": "hunter2"}')
    found = load_settings()
    assert found.kafka.sasl_password is not None
    assert found.kafka.sasl_password.get_secret_value() == "hunter2"
    assert "hunter2" not in "".join(shown_value(found, name) for name in variables())
    assert "hunter2" not in repr(found.index) + str(found.index)


def test_the_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ~ in a path means what it means in a shell."""
    monkeypatch.setenv("TICKETS_INDEX__PATH", "~/tickets")
    assert load_settings().index.path == Path.home() / "tickets"


def test_folders_follow_the_xdg_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches go where the desktop keeps caches, data where it keeps data."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    monkeypatch.setenv("XDG_DATA_HOME", "/d")
    assert (default_cache(), default_data()) == (Path("/c/ticketstream"), Path("/d/ticketstream"))


def test_every_variable_is_described_and_has_a_shown_default() -> None:
    """The table of docs/operations.md and `doctor --settings` are made from this."""
    defaults = Settings()
    for name, (default, description) in variables().items():
        assert description.endswith("."), name
        assert shown_value(defaults, name) == ("" if default == "{}" else default) or default == "{}", name


def test_the_environment_that_is_given_is_the_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come from the argument, and the process's own environment is left out."""
    monkeypatch.setenv("TICKETS_KAFKA__BROKERS", "mine:9092")
    found = load_settings({"TICKETS_KAFKA__GROUP": "theirs"})
    assert (found.kafka.brokers, found.kafka.group) == ("localhost:9092", "theirs")


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_a_renamed_variable_is_named_with_its_new_name(old: str, new: str) -> None:
    """An operator who upgrades reads which name to write instead, and the new name exists."""
    assert new in variables()
    with pytest.raises(ConfigError) as caught:
        load_settings({old: "1"})
    assert str(caught.value) == f"{old} is now called {new}"


@pytest.mark.parametrize("name", sorted(REMOVED))
def test_a_removed_variable_is_named_with_what_to_do_instead(name: str) -> None:
    """A knob that is gone is not taken for a typing error."""
    assert name not in variables()
    with pytest.raises(ConfigError) as caught:
        load_settings({name: "1"})
    assert str(caught.value) == f"{name} is no longer a setting: {REMOVED[name]}"
