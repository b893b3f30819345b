"""A copy of deploy/ to plan, break and apply in, with a local state and without AWS."""

import shutil
import zipfile
from pathlib import Path
from typing import Any, Final

from lambdas.contents import FUNCTIONS
from tests.deploy.terraform.tool import Root, Tool

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"

_CERTIFICATE: Final = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
_SERVICES: Final = {
    # Of IAM, because moto refuses certificates of ACM that it hasn't issued.
    "certificate_arn": f"arn:aws:iam::{ACCOUNT}:server-certificate/tickets",
    "domain": "tickets.example.com",
    "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_example",
    "client_ids": ["console", "crm"],
}
_ROTATION: Final = {
    "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ticketstream-prod-rotation",
    "role": "ticketstream-prod-use1-rotation",
}

_PRODUCERS: Final = {
    "sources": ["s3://exports/tickets/", "s3://crm/in/*.csv"],
    "source_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012",
    "settings": {"TICKETS_PRODUCER__MAP": "ticket_id=id;body=text;tenant_id:=acme"},
}

_FUNCTIONS: Final = {
    "zips": "../../zips",
    "raw": {
        "map": "ticket_id=id;tenant_id:=acme;body=text;version=changed",
        "event_sources": ["com.example.crm"],
        "buckets": ["raw-records"],
    },
}

_SIGN_IN: Final = {"domain_prefix": "example-tickets", "callback_urls": ["https://support.example.com/"]}
_GATEWAY: Final = {"programs": {"crm": {"rate": 5, "burst": 10, "per_day": 1000}}}

_WORKFLOW: Final = {"subscribers": ["leads@example.com"]}
_EDGE: Final = {
    "domain": "support.example.com",
    "zone_id": "Z0123456789EXAMPLE",
    # The address of the stack's own API is known after the apply.
    "api": {"domain": f"0123456789.execute-api.{REGION}.amazonaws.com", "path": "/prod"},
    "page": {"ticket_url": "https://desk.example.com/t/{ticket_id}"},
}

# Values of the environments' variables.
VARIABLES: Final[dict[str, dict[str, Any]]] = {
    "dev": {
        "account_id": ACCOUNT,
        "image_tag": "0.2.0",
        "subscribers": {"critical": ["oncall@example.com"]},
        "services": _SERVICES,
        "producers": _PRODUCERS,
        "rotation": {},  # by the stack's own function
        "functions": _FUNCTIONS,
        "sign_in": _SIGN_IN,
        "gateway": _GATEWAY,
        "workflow": _WORKFLOW,
        "canary": {},
        "edge": _EDGE,
        "budget_usd": 3500,
    },
    "prod": {
        "account_id": ACCOUNT,
        "image_tag": "0.2.0",
        "index_certificate_arn": _CERTIFICATE,
        "index_domain": "index.example.com",
        "subscribers": {
            "critical": ["oncall@example.com"],
            "warning": ["team@example.com"],
            "info": ["team@example.com"],
        },
        "services": _SERVICES,
        "rotation": {"function": _ROTATION},
        "producers": _PRODUCERS,
        "functions": _FUNCTIONS,
        "sign_in": _SIGN_IN,
        "gateway": _GATEWAY,
        "workflow": _WORKFLOW,
        "canary": {},
        "edge": _EDGE,
        "budget_usd": 3500,
    },
}

#: Leaves out the functions and what needs them.
WITHOUT_FUNCTIONS: Final[dict[str, Any]] = dict.fromkeys(("functions", "sign_in", "gateway", "workflow", "canary"))

#: The values of a smaller stack, which is planned in half the time.
SMALL: Final[dict[str, dict[str, Any]]] = {
    environment: variables | WITHOUT_FUNCTIONS | {"rotation": None, "producers": None, "edge": None, "budget_usd": None}
    for environment, variables in VARIABLES.items()
}

# Keeps the state local, and skips the check of credentials.
_OFFLINE: Final = """
terraform {
  backend "local" {}
}

provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  allowed_account_ids         = []
}
"""
# Another provider of the environments.
_ALIAS: Final = """
provider "aws" {{
  alias                       = "{}"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  allowed_account_ids         = []
}}
"""
# CloudFront's region, and prod's second region.
_ALIASES: Final = {"envs/dev": ["us_east_1"], "envs/prod": ["us_east_1", "replica"]}
_EMULATED: Final = """
terraform {
  backend "local" {}
}

provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2 # an unsupported call stays unsupported
}
"""


class Workspace:
    """A copy of deploy/ in its own folder."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.folder = folder
        self._tool = tool

    @classmethod
    def copy(cls, tool: Tool, folder: Path) -> "Workspace":
        """Copy the shipped files, to be planned without AWS."""
        shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))
        made = cls(tool, folder)
        (folder / "terraform" / "zips").mkdir()
        for name in FUNCTIONS:
            with zipfile.ZipFile(folder / "terraform" / "zips" / f"{name}.zip", "w") as archive:
                archive.writestr("lambdas/__init__.py", "")
        shutil.copytree(DEPLOY.parent / "web", made.pages)
        for environment in VARIABLES:
            made.offline(f"envs/{environment}")
        return made

    def branch(self, folder: Path) -> "Workspace":
        """Make another initialised copy, for a test to change."""
        shutil.copytree(self.folder, folder, symlinks=True)
        made = Workspace(self._tool, folder)
        made.pages.symlink_to(self.pages)
        return made

    @property
    def pages(self) -> Path:
        """The page's files, beside the copy as they are beside deploy/."""
        return self.folder.parent / "web"

    def offline(self, place: str) -> None:
        """Let a root module be planned without AWS."""
        self.write(f"terraform/{place}/override.tf", _OFFLINE + _providers(place))

    def emulated(self, place: str) -> None:
        """Let the provider of a root module call an emulator."""
        self.write(f"terraform/{place}/override.tf", _EMULATED + _providers(place))

    def root(self, place: str, *, endpoint: str | None = None) -> Root:
        """A root module by its path under terraform/."""
        return Root(self._tool, self.folder / "terraform" / place, endpoint=endpoint)

    def write(self, place: str, text: str) -> None:
        """Overwrite a file."""
        (self.folder / place).write_text(text)

    def change(self, place: str, before: str, after: str) -> None:
        """Replace a passage of a file, which must be there."""
        text = (self.folder / place).read_text()
        assert before in text, f"{place} doesn't say {before!r}: the test has nothing to break"
        self.write(place, text.replace(before, after, 1))

    def leave_out(self, place: str) -> None:
        """Delete a file that the emulator doesn't support."""
        (self.folder / place).unlink()


def _providers(place: str) -> str:
    return "".join(_ALIAS.format(alias) for alias in _ALIASES.get(place, []))
