"""A worker whose model Amazon Bedrock runs, as a process with a real broker."""

import os
import threading
from pathlib import Path

from core.index import SearchQuery
from core.model_settings import TITAN
from runtime.searcher import find_worker
from synthetic.tickets import events
from tests.e2e.world import WorkerProcess, World
from tests.rigs.titan import DOWN, TitanServer
from tests.rigs.waiting import wait_until


def test_tickets_wait_for_the_model_and_are_found(tansu: str, tmp_path: Path) -> None:
    """A worker that starts in an outage of the model waits, loses and dead-letters nothing, and then answers."""
    world, up = World(tansu, tmp_path), threading.Event()
    world.produce(events(40, seed=3, edits=0, deletes=0, duplicates=0))
    with TitanServer() as server:
        server.behave(lambda _text, _nth: None if up.is_set() else DOWN)
        environment = {
            "TICKETS_MODEL__NAME": TITAN,
            "TICKETS_MODEL__AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        with WorkerProcess(world, environment=environment) as worker:
            wait_until(lambda: "model: Amazon Bedrock" in worker.ready()[1], worker.output)
            assert world.committed() == 0
            up.set()
            world.wait_committed([worker])
            assert world.letters() == []
            assert worker.metric("tickets_model_tokens_total") > 0
            asked = find_worker(world.settings.index)
            assert asked is not None
            found = asked.search("I can't sign in", SearchQuery(tenant_id="acme", limit=3))
            assert found.model == "titan-embed-text-v2/bedrock/amazon.titan-embed-text-v2:0/1024/normalised"
            assert len(found.hits) == 3
            assert worker.terminate() == 0, worker.output()
