"""The settings that are noted in an index."""

from core.environment import load_settings
from stream.roles import EMBEDDING, PIPELINE
from stream.stored_settings import stored_settings


def test_settings_that_decide_what_is_stored_are_noted() -> None:
    """Settings of contract, chunks, classification and customers, and group and topic, are noted in the index."""
    settings = load_settings({"TICKETS_CONTRACT__MAX_TAGS": "7", "TICKETS_ENRICH__CUSTOMERS_FILE": "/secret/place"})
    found = stored_settings(settings, PIPELINE)
    assert found["TICKETS_CONTRACT__MAX_TAGS"] == "7"
    assert found["TICKETS_ENRICH__CUSTOMERS_FILE"] == "true"
    assert found["TICKETS_CLASSIFY__EXAMPLES_FILE"] == "false"
    assert found["TICKETS_KAFKA__GROUP"] == "ticketstream"
    assert "TICKETS_CHUNK__OVERLAP_TOKENS" in found
    assert "TICKETS_CONTRACT__MAX_TAGS" not in stored_settings(settings, EMBEDDING)
