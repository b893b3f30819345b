"""A copy of deploy/ to plan, break and apply in: the shipped files, with the state and AWS kept on this machine."""

import shutil
from pathlib import Path
from typing import Any, Final

from tests.deploy.terraform.tool import Root, Tool

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"

# Values for the environments' variables, as somebody would give them.
VARIABLES: Final[dict[str, dict[str, Any]]] = {
    "dev": {"account_id": ACCOUNT, "image_tag": "0.2.0", "subscribers": {"critical": ["oncall@example.com"]}},
    "prod": {
        "account_id": ACCOUNT,
        "image_tag": "0.2.0",
        "index_certificate_arn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012",
        "index_domain": "index.example.com",
        "subscribers": {"critical": ["oncall@example.com"], "warning": ["team@example.com"]},
    },
}

# The state stays here, and nobody is asked whose credentials these are.
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
_EMULATED: Final = """
terraform {
  backend "local" {}
}

provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  max_retries                 = 2 # what isn't played stays so
}
"""


class Workspace:
    """deploy/ in a folder of its own."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.folder = folder
        self._tool = tool

    @classmethod
    def copy(cls, tool: Tool, folder: Path) -> "Workspace":
        """The shipped files, planned without asking anybody."""
        shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__"))
        made = cls(tool, folder)
        for environment in VARIABLES:
            made.write(f"terraform/envs/{environment}/override.tf", _OFFLINE)
        return made

    def branch(self, folder: Path) -> "Workspace":
        """Another copy, to break: modules and provider stay where they were brought."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workspace(self._tool, folder)

    def emulated(self, environment: str) -> None:
        """Ask AWS after all, at an endpoint that plays it."""
        self.write(f"terraform/envs/{environment}/override.tf", _EMULATED)

    def root(self, place: str, *, endpoint: str | None = None) -> Root:
        """A root module by its path under terraform/."""
        return Root(self._tool, self.folder / "terraform" / place, endpoint=endpoint)

    def write(self, place: str, text: str) -> None:
        """A file anew."""
        (self.folder / place).write_text(text)

    def change(self, place: str, before: str, after: str) -> None:
        """One passage of a file; it must be there."""
        text = (self.folder / place).read_text()
        assert before in text, f"{place} doesn't say {before!r}: the test has nothing to break"
        self.write(place, text.replace(before, after, 1))

    def leave_out(self, place: str) -> None:
        """A file that the emulator can't play."""
        (self.folder / place).unlink()
