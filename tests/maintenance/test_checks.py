"""The checks of `ticketstream doctor` on the options of topics."""

import pytest

from core.errors import ConfigError
from core.settings import ContractSettings, Settings
from maintenance.checks import _check_policy, _check_times

_ANY: str = str(2**63 - 1)


def _settings(source: str = "updated_at") -> Settings:
    return Settings(contract=ContractSettings.model_validate({"version_source": source}))


@pytest.mark.parametrize("bound", ["message.timestamp.after.max.ms", "message.timestamp.difference.max.ms"])
def test_a_topic_that_takes_records_of_any_date_is_a_fault_where_times_are_versions(bound: str) -> None:
    """The fault names the option; a bound, the broker's own times, hidden options and counted versions have none."""
    with pytest.raises(ConfigError, match=r"takes records of any date.*message\.timestamp\.after\.max\.ms=3600000"):
        _check_times(_settings(), {bound: _ANY})
    _check_times(_settings(), {bound: "3600000"})
    _check_times(_settings(), {bound: _ANY, "message.timestamp.type": "LogAppendTime"})
    _check_times(_settings(), {})
    _check_times(_settings("version"), {bound: _ANY})


def test_a_compacted_topic_of_dead_letters_is_a_fault() -> None:
    """Compaction would drop all but the last letter of a ticket. Hidden options are no fault."""
    with pytest.raises(ConfigError, match=r"tickets\.dlq is compacted .*cleanup\.policy=delete"):
        _check_policy("tickets.dlq", {"cleanup.policy": "compact,delete"})
    _check_policy("tickets.dlq", {"cleanup.policy": "delete"})
    _check_policy("tickets.dlq", {})
