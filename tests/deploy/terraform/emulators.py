"""AWS emulators: moto's server, and ministack in its own environment."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from msgspec import Struct

from local.ports import free_port
from tests.deploy.terraform.workspace import ACCOUNT, REGION
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

_ROOT: Final = Path(__file__).parents[3]
MINISTACK: Final = _ROOT / ".ministack" / "bin" / "ministack"


class Credentials(Struct, frozen=True):
    """Credentials of the account, or of an assumed role."""

    key: str = ACCOUNT
    secret: str = "of-nobody"
    token: str | None = None


class Emulator(Struct, frozen=True):
    """A running emulator and its clients."""

    name: str
    url: str

    def client(self, service: str, credentials: Credentials | None = None, *, region: str = REGION) -> Any:
        """A boto3 client of the emulator."""
        who = credentials or Credentials()
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=who.key,
            aws_secret_access_key=who.secret,
            aws_session_token=who.token,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def as_role(self, arn: str) -> Credentials:
        """The credentials that a task with this role would get."""
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="task")["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@contextmanager
def start_moto(folder: Path) -> Iterator[Emulator]:
    """Run moto until the end of the `with`."""
    port = free_port()
    command = [sys.executable, "-m", "tests.deploy.terraform.moto_server", str(port)]
    environ = os.environ | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    with _process(command, environ, folder, f"http://127.0.0.1:{port}/moto-api/data.json", place=_ROOT):
        yield Emulator("moto", f"http://127.0.0.1:{port}")


def enforce_moto_roles(emulator: Emulator, *, after: int = 0) -> None:
    """Enforce IAM permissions after the next `after` calls."""
    request = Request(f"{emulator.url}/moto-api/reset-auth", data=str(after).encode(), method="POST")
    request.add_header("Content-Type", "text/plain")
    urlopen(request, timeout=PATIENCE_S).close()


@contextmanager
def start_ministack(folder: Path, *, bedrock_proxy: str = "", enforce: bool = False) -> Iterator[Emulator]:
    """Run ministack until the end of the `with`.

    Args:
        folder: gets its output.
        bedrock_proxy: the OpenAI-style server that its Bedrock asks.
        enforce: check signatures and IAM permissions; the default credentials are those of the account's root.
    """
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))}
    environ |= {
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "ERROR",
        "MINISTACK_BEDROCK_PROXY_URL": bedrock_proxy,
        "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",  # a trigger that fails issues no token, as on AWS
        "IOT_MTLS_ENABLED": "0",  # it would listen on a port of its own
        "AUTH": "true" if enforce else "false",
        "AWS_ACCESS_KEY_ID": Credentials().key,
        "AWS_SECRET_ACCESS_KEY": Credentials().secret,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",  # for functions
    }
    with _process([str(MINISTACK)], environ, folder, f"http://127.0.0.1:{port}/_ministack/health", place=folder):
        yield Emulator("ministack", f"http://127.0.0.1:{port}")


@contextmanager
def _process(command: list[str], environ: Mapping[str, str], folder: Path, url: str, *, place: Path) -> Iterator[None]:
    """Run a server that answers at `url`; its output is in `folder`."""
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            command, env=environ, cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        guarding = guard(process.pid)
        try:
            _await(url)
            yield
        finally:
            process.kill()
            process.wait()
            guarding.kill()
            guarding.wait()
            if guarding.stdin is not None:
                guarding.stdin.close()


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urlopen(url, timeout=2).close()
        except (URLError, OSError):
            assert time.monotonic() < deadline, f"no answer at {url}"
            time.sleep(0.2)
        else:
            return
