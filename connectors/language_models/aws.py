"""Clients of Amazon Bedrock and SageMaker: boto3 signs and reads, and `Transport` sends.

boto3's own HTTP client can't be stopped by another thread, and its timeouts bound a read, never a call. Its event
`before-send` accepts a reply from another client. Each call is made once; callers decide on retries.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Literal

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EventStreamError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError
from msgspec import MsgspecError

from connectors.language_models.failures import aws_error
from connectors.language_models.transport import Bounds, Reply, Transport
from core.errors import ConfigError
from core.language_model import ModelError

Service = Literal["bedrock-runtime", "sagemaker-runtime"]

_NO_CREDENTIALS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

#: Exceptions of botocore's parsers on a reply that doesn't fit the service's model.
_UNREADABLE: Final = (
    MsgspecError,
    ParserError,
    ResponseParserError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    RecursionError,
)

Arguments = Mapping[str, object]


class _Call:
    """The call of a thread, and its reply once there is one."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.reply: Reply | None = None

    def close(self) -> None:
        if self.reply is not None:
            self.reply.close()


_calls: Final[ContextVar[_Call]] = ContextVar("calls")


class _Body:
    """A reply's body as botocore reads it: a stream of chunks, or all at once."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def stream(self) -> Iterator[bytes]:
        return self._reply.chunks()

    def read(self, _amount: int | None = None) -> bytes:
        return self._reply.read()

    def close(self) -> None:
        self._reply.close()


#: A response, or an event of its stream, as botocore reads it.
AwsResponse = dict[str, Any]


class AwsClient:
    """Calls operations of one service. Safe to use from any thread."""

    def __init__(self, client: Any, transport: Transport) -> None:
        self._client = client
        self._transport = transport
        client.meta.events.register("before-send", self._send)

    @property
    def region(self) -> str:
        """The AWS region that is called."""
        return str(self._client.meta.region_name)

    @contextmanager
    def call(self, operation: str, bounds: Bounds, arguments: Arguments) -> Iterator[AwsResponse]:
        """The response of an operation, such as `converse`. Its stream is read inside the `with`.

        Raises:
            ModelError: the service or the connection failed, here or while the stream was read.
            StoppedError: `stop` was set.
        """
        call = _Call(bounds)
        try:
            with _errors():
                token = _calls.set(call)
                try:
                    response = getattr(self._client, operation)(**arguments)
                finally:
                    _calls.reset(token)
                yield response
        finally:
            call.close()

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        call = _calls.get()
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        call.reply = self._transport.post(request.url, headers, body, call.bounds)
        return AWSResponse(request.url, call.reply.status, call.reply.headers, _Body(call.reply))


def open_aws_client(
    service: Service,
    transport: Transport,
    *,
    region: str | None,
    setting: str = "TICKETS_LANGUAGE_MODEL__CHAIN",
    region_setting: str = "TICKETS_LANGUAGE_MODEL__AWS_REGION",
) -> AwsClient:
    """A client of `service`. boto3 takes credentials and further settings from the environment.

    Args:
        service: whose operations are called.
        transport: sends the requests.
        region: an AWS region; None: that of the environment or profile.
        setting: the variable that asks for the client, for messages.
        region_setting: the variable of the region.

    Raises:
        ConfigError: there is no region, or boto3's own settings are wrong.
    """
    # no retries here: botocore would silently retry a throttled call twice
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    try:
        client = boto3.session.Session().client(service, region_name=region, config=config)
    except NoRegionError:
        raise ConfigError(f"{region_setting}: not set; set it to the models' region, for example us-east-1") from None
    except (BotoCoreError, ValueError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"{setting}: boto3 can't open {service}: {why}") from None
    return AwsClient(client, transport)


@contextmanager
def _errors() -> Iterator[None]:
    """Translates botocore's errors, without their messages, which may quote the request."""
    try:
        yield
    except EventStreamError as error:
        raise aws_error(_code(error), None, {}) from None
    except ClientError as error:
        reply = error.response.get("ResponseMetadata", {})
        raise aws_error(_code(error), reply.get("HTTPStatusCode"), reply.get("HTTPHeaders", {})) from None
    except _NO_CREDENTIALS:
        raise ModelError("boto3 found no valid AWS credentials", kind="denied") from None
    except _UNREADABLE:
        raise ModelError("the answer isn't of the service's protocol", kind="protocol") from None
    except BotoCoreError as error:
        raise ModelError(f"boto3 failed ({type(error).__name__})", kind="failed") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
