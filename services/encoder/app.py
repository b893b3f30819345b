"""The embedding model behind SageMaker's contract for containers: GET /ping and POST /invocations on port 8080.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from core.protocols import Embedder
from runtime.telemetry import Telemetry
from services.http.app import create_app, problems
from services.http.bodies import BodyBounds
from services.http.callers import Caller
from services.http.probes import PATHS
from services.http.problems import Problem

NAME: Final = "encoder"
PING: Final = "/ping"
INVOCATIONS: Final = "/invocations"
#: SageMaker passes on bodies of up to 6 MB, and answers of as much: this many vectors of 384 numbers have 2 MB.
MAX_TEXTS: Final = 256
MAX_CHARACTERS: Final = 20_000
_BODY: Final = BodyBounds(max_bytes=6 * 1024 * 1024)


class Texts(BaseModel):
    """The texts to embed. Some models embed questions and passages differently; `kind` says which they are."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Annotated[str, Field(max_length=MAX_CHARACTERS)]] = Field(min_length=1, max_length=MAX_TEXTS)
    kind: Literal["passage", "query"] = "passage"


class Vectors(BaseModel):
    """A vector of norm 1 for each text, in order; `stamp` identifies the model and its exact weights."""

    vectors: list[list[float]]
    dimension: int
    stamp: str


class NoCallers:
    """Accepts nobody, as no route needs a token: SageMaker has checked the caller's rights."""

    async def authenticate(self, token: str) -> Caller:
        """See `Authenticator`."""
        del token
        raise Problem("unauthenticated", "This service has no callers.")


def encoder_app(embedder: Embedder, *, telemetry: Telemetry) -> FastAPI:
    """The app over a model that is ready."""
    router = APIRouter(tags=[NAME])

    @router.get(PING, response_class=Response)
    async def ping() -> Response:
        """Healthy: the model was loaded before the port was opened."""
        return Response()

    @router.post(INVOCATIONS, response_model=Vectors, responses=problems("invalid"))
    def invoke(body: Texts) -> Response:
        """Embed texts."""
        vectors = embedder.embed(body.texts, body.kind)
        found = {"vectors": vectors.tolist(), "dimension": embedder.dimension, "stamp": embedder.stamp}
        return Response(msgspec.json.encode(found), media_type="application/json")

    return create_app(
        name=NAME,
        title="ticketstream: encoder",
        version="1",
        routers=[router],
        authenticator=NoCallers(),
        telemetry=telemetry,
        alive=lambda: None,
        ready=lambda: None,
        body=_BODY,
        free=PATHS | {PING},
    )
