"""Finds and runs Terraform with its AWS provider."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

_MIRRORS: Final = (
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
)
_PATIENCE_S: Final = 300
# Real credentials and settings must not reach the tests.
_FORGOTTEN: Final = ("AWS_", "TF_", "TICKETS_")


class Tool(Struct, frozen=True):
    """The program, and a folder of providers on disk; None means the registry."""

    binary: str
    mirror: Path | None


def find_tool() -> Tool | None:
    """Terraform on the PATH, with the providers of TF_PLUGIN_DIR or a usual folder."""
    binary = shutil.which("terraform")
    return None if binary is None else Tool(binary, _find_mirror())


def _find_mirror() -> Path | None:
    named = os.environ.get("TF_PLUGIN_DIR")
    for place in [named] if named else _MIRRORS:
        path = Path(place).expanduser()
        for found in sorted(Path(path.anchor).glob(f"{path.relative_to(path.anchor)}/registry.terraform.io")):
            if any(found.glob("hashicorp/aws/*")):
                return found.parent
    return None


class CommandResult(Struct, frozen=True):
    """Exit code and output of a command."""

    code: int
    out: str

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The lines of `-json` output of one type."""
        lines = [msgspec.json.decode(line) for line in self.out.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("type") == kind]

    def errors(self) -> str:
        """The error messages in one text."""
        found = [event["diagnostic"] for event in self.events("diagnostic")]
        return "\n".join(
            f"{each['summary']}: {each.get('detail', '')}" for each in found if each["severity"] == "error"
        )


class Root:
    """A root module, to run commands in."""

    def __init__(self, tool: Tool, folder: Path, *, endpoint: str | None = None) -> None:
        self.folder = folder
        self._tool = tool
        self._endpoint = endpoint

    def run(self, *arguments: str, stdin: str = "") -> CommandResult:
        """Run a Terraform command without the caller's AWS and Terraform settings; `stdin` is its input."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_FORGOTTEN)}
        config = self.folder / ".no-settings"
        config.touch()
        environ |= {
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "AWS_ACCESS_KEY_ID": "123456789012",
            "AWS_SECRET_ACCESS_KEY": "of-nobody",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self._endpoint is not None:
            environ["AWS_ENDPOINT_URL"] = self._endpoint
        done = subprocess.run(
            [self._tool.binary, f"-chdir={self.folder}", *arguments],
            env=environ,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        return CommandResult(done.returncode, done.stdout)

    def init(self) -> CommandResult:
        """Initialise modules and provider, from the folder on disk if there is one."""
        places = [] if self._tool.mirror is None else [f"-plugin-dir={self._tool.mirror}"]
        return self.run("init", "-no-color", "-reconfigure", *places)

    def plan(self, variables: dict[str, Any], *options: str, to: Path | None = None) -> CommandResult:
        """Make a plan, in the file `to` if it is given."""
        kept = [] if to is None else [f"-out={to}"]
        return self.run("plan", "-json", *kept, *options, *self._given(variables))

    def apply(self, variables: dict[str, Any]) -> CommandResult:
        """Apply everything, with a high parallelism, because an apply mostly waits."""
        return self.run("apply", "-json", "-auto-approve", "-parallelism=30", *self._given(variables))

    def destroy(self, variables: dict[str, Any]) -> CommandResult:
        """Destroy everything."""
        return self.run("destroy", "-json", "-auto-approve", "-parallelism=30", *self._given(variables))

    def evaluate(self, expression: str, variables: dict[str, Any]) -> Any:
        """The value of an expression with the current state and these variables."""
        result = self.run("console", *self._given(variables), stdin=f"jsonencode({expression})\n")
        assert result.code == 0, result.out
        return msgspec.json.decode(msgspec.json.decode(result.out.strip(), type=str))

    def _given(self, variables: dict[str, Any]) -> list[str]:
        """The variables as options. On the command line null would be a text, so it is in a file."""
        given = [
            f"-var={name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
            for name, value in variables.items()
            if value is not None
        ]
        if absent := [name for name, value in variables.items() if value is None]:
            file = self.folder / "null.tfvars.json"
            file.write_bytes(msgspec.json.encode(dict.fromkeys(absent)))
            given.append(f"-var-file={file}")
        return given

    def show(self, plan: Path | None = None) -> dict[str, Any]:
        """The content of a plan, or of the state."""
        result = self.run("show", "-json", *([] if plan is None else [str(plan)]))
        assert result.code == 0, result.out
        return dict(msgspec.json.decode(result.out))


def resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """All managed resources of a plan's or a state's `root_module`, by address: Terraform's order differs by run."""
    own = [each for each in module.get("resources", []) if each["mode"] == "managed"]
    below = [each for child in module.get("child_modules", []) for each in resources(child)]
    return sorted(own + below, key=lambda each: str(each["address"]))
