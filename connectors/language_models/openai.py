"""Any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, and hosted ones."""

from collections.abc import Generator
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.language_models.chat import chat_body, error_code, streamed_chat, whole_chat
from connectors.language_models.failures import http_error
from connectors.language_models.output import bounds_of, check_length, named
from connectors.language_models.transport import Reply, StoppedError, Transport
from core.errors import ConfigError
from core.language_model import End, ModelError, ModelRequest, Part

_OK: Final = 200


class OpenAIModel:
    """Implements `core.language_model.LanguageModel`."""

    def __init__(
        self, model: str, *, url: str, key: SecretStr | None, transport: Transport, idle_s: float, stream: bool
    ) -> None:
        """`url` is the API's base, as `check_url` accepts it; without `stream` answers come in one piece."""
        self._model = model
        self._url = f"{str.__str__(url).rstrip('/')}/chat/completions"
        self._key = key
        self._transport = transport
        self._idle_s = idle_s
        self._stream = stream
        self.name = f"openai:{model}"

    def stream(self, request: ModelRequest, stop: Event) -> Generator[Part, None, None]:
        """See `LanguageModel`."""
        headers = {"content-type": "application/json"}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        body = chat_body(request, model=self._model, stream=self._stream)
        bounds = bounds_of(request, stop, idle_s=self._idle_s if self._stream else request.timeout_s)
        with named(self.name):
            try:
                reply = self._transport.post(self._url, headers, body, bounds)
            except StoppedError:
                return
            ended = False
            try:
                if reply.status != _OK:
                    raise http_error(reply.status, _code(reply), reply.headers)
                parts = streamed_chat(reply.chunks(), done=True) if self._stream else whole_chat(reply.read())
                for part in check_length(parts, request):
                    ended = isinstance(part, End)
                    yield part
            except StoppedError:
                return
            finally:
                (reply.leave if ended else reply.close)()


def _code(reply: Reply) -> str | None:
    try:
        return error_code(reply.read())
    except ModelError:  # the status suffices
        return None


def check_key(key: SecretStr, setting: str) -> SecretStr:
    """The key without the final line break of a secret's file.

    Raises:
        ConfigError: it can't be sent in a header. The message doesn't quote it.
    """
    text = key.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(f"{setting}: contains characters that no key has; copy the key again")
    return SecretStr(text)


def check_url(url: str, setting: str) -> None:
    """Check the base URL of an API.

    Raises:
        ConfigError: it isn't http or https, or holds credentials or a query, which logs would show.
    """
    try:
        parts = urlsplit(str.__str__(url))
        bad = parts.scheme not in {"http", "https"} or not parts.hostname or (parts.port or 1) < 1
        secret = "@" in parts.netloc or bool(parts.query)
    except ValueError:
        bad, secret = True, False
    if secret:
        raise ConfigError(f"{setting}: the URL holds credentials or a query; set TICKETS_LANGUAGE_MODEL__OPENAI_KEY")
    if bad:
        raise ConfigError(f"{setting}: not an http or https URL; write for example http://localhost:11434/v1")
