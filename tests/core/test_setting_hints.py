"""An unknown variable's error suggests the setting that is probably meant."""

import pytest

from core.environment import load_settings, variables
from core.errors import ConfigError
from core.setting_hints import COMMON_NAMES, suggest
from core.setting_types import PREFIX

_SETTINGS = [variable.removeprefix(PREFIX) for variable in variables()]
_FLAT = {setting.replace("__", "_") for setting in _SETTINGS}


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("TICKETS_KAFKA__BOOTSTRAP_SERVERS", "TICKETS_KAFKA__BROKERS"),
        ("TICKETS_KAFKA_BOOTSTRAP.SERVERS", "TICKETS_KAFKA__BROKERS"),
        ("tickets_bootstrap_servers", "TICKETS_KAFKA__BROKERS"),
        ("TICKETS_KAFKA__GROUP_ID", "TICKETS_KAFKA__GROUP"),
        ("TICKETS_KAFKA__CONSUMER_GROUP", "TICKETS_KAFKA__GROUP"),
        ("TICKETS_KAFKA__PASSWORD", "TICKETS_KAFKA__SASL_PASSWORD"),
        ("TICKETS_KAFKA__SSL_CA_LOCATION", "TICKETS_KAFKA__SSL_CA_FILE"),
        ("TICKETS_KAFKA__TOPIC", "TICKETS_TOPICS__RAW"),
        ("TICKETS_QDRANT_URL", "TICKETS_INDEX__URL"),
        ("TICKETS_QDRANT__HOST", "TICKETS_INDEX__URL"),
        ("TICKETS_QDRANT__API_KEY", "TICKETS_INDEX__API_KEY"),
        ("TICKETS_QDRANT__APIKEY", "TICKETS_INDEX__API_KEY"),
        ("TICKETS_QDRANT_COLLECTION_NAME", "TICKETS_INDEX__COLLECTION"),
        ("TICKETS_OPENAI_API_KEY", "TICKETS_LANGUAGE_MODEL__OPENAI_KEY"),
        ("TICKETS_LLM__BASE_URL", "TICKETS_LANGUAGE_MODEL__OPENAI_URL"),
        ("TICKETS_REDIS_URL", "TICKETS_CACHE__URL"),
        ("TICKETS_OTEL_EXPORTER_OTLP_ENDPOINT", "TICKETS_TRACING__ENDPOINT"),
        ("TICKETS_EMBEDDING_MODEL", "TICKETS_MODEL__NAME"),
        ("TICKETS_OIDC__ISSUER", "TICKETS_AUTH__ISSUER"),
        ("TICKETS_LOG_LEVEL", "TICKETS_LOG__LEVEL"),
        ("TICKETS_KAFAK__BROKER", "TICKETS_KAFKA__BROKERS"),
    ],
)
def test_a_name_that_other_programs_use_leads_to_the_setting(name: str, setting: str) -> None:
    """The error names the setting for another program's name, with any separators, and for a misspelt one."""
    with pytest.raises(ConfigError) as caught:
        load_settings({name: "x"})
    assert str(caught.value) == f"{name} is not a setting; did you mean {setting}?"


@pytest.mark.parametrize("name", ["KAFKA__BANANAS", "KAFKA__AUTO_OFFSET_RESET", "ZZZ", "KAFKA", "INDEX__", ""])
def test_there_is_no_suggestion_for_what_is_like_nothing(name: str) -> None:
    """An unknown name in a known group doesn't suggest an unrelated setting of the group."""
    assert suggest(name, _SETTINGS) is None


@pytest.mark.parametrize("setting", COMMON_NAMES)
def test_each_common_name_leads_to_its_setting(setting: str) -> None:
    """Every entry of the table is in force: its setting exists, and no setting has one of its names."""
    assert setting in _SETTINGS
    for name in COMMON_NAMES[setting].split():
        assert name not in _FLAT
        assert suggest(name, _SETTINGS) == setting
