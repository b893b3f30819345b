"""Runs commands in an image's root: read-only, without capabilities, as the image's user, as PID 1."""

import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from tests.deploy.tools import tool
from tests.rigs.guard import guard
from tests.rigs.waiting import PATIENCE_S

UID: Final = 10001
_NONE: Final[Mapping[str, str]] = {}

#: $1 is the root, $2 the folder to mount at /data, $3 the cache's folder or empty, $4 the user; the rest goes to env.
#: The mounts are in the process's own namespace and end with it. A change of user resets the parent-death signal, so
#: setpriv sets it again.
_ENTER: Final = """
set -e
root=$1 data=$2 cache=$3 user=$4
shift 4
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
mount --bind "$data" "$root/data"
if [ -n "$cache" ]; then mount --bind "$cache" "$root/var/cache/ticketstream"; fi
mount -o remount,ro,bind "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --inh-caps=-all \
    --bounding-set=-all --pdeathsig KILL env -i -C /data "$@"
"""


class Inside:
    """The root file system and configuration of an image, to run commands in."""

    def __init__(self, root: Path, config: Mapping[str, Any], folder: Path) -> None:
        """Keep volumes and logs in `folder` on this machine."""
        tool("unshare", package="util-linux")
        self.config = config
        self._user = int(config["User"].partition(":")[0])
        self.data = _volume(folder / "data", self._user)
        self._root = root
        self._folder = folder

    def command(self, argv: Sequence[str], environment: Mapping[str, str], *, cache: Path | None = None) -> list[str]:
        """The command line that runs `argv` in the image, with `environment` added and `cache` mounted."""
        settings = dict(pair.split("=", 1) for pair in self.config["Env"]) | dict(environment)
        enter = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", _ENTER, "sh"]
        enter += [str(self._root), str(self.data), str(_volume(cache, self._user)) if cache else "", str(self._user)]
        return [*enter, *(f"{name}={value}" for name, value in settings.items()), *argv]

    def run(self, argv: Sequence[str], environment: Mapping[str, str] = _NONE) -> "subprocess.CompletedProcess[str]":
        """Run `argv` to its end."""
        command = self.command(argv, environment)
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def start(self, environment: Mapping[str, str], *, module: str = "", cache: Path | None = None) -> "Started":
        """Start the image's entry point with `module`, or with the image's own command."""
        argv = [*self.config["Entrypoint"], *([module] if module else self.config["Cmd"])]
        log = self._folder / f"worker-{environment['TICKETS_HEALTH__PORT']}.log"
        return Started(self.command(argv, environment, cache=cache), log, environment)


class Started:
    """A worker in the image, until the end of its `with`."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self.port = environment["TICKETS_HEALTH__PORT"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._guard = guard(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()  # which kills the worker too
        self._process.wait(PATIENCE_S)
        self._guard.kill()
        self._guard.communicate()

    def output(self) -> str:
        """The output of the worker."""
        return self._log.read_text(errors="replace")

    def answers(self, path: str) -> bool:
        """Whether `path` of the health port answers 200; fails if the worker has exited."""
        assert self._process.poll() is None, self.output()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S).close()
        except OSError:
            return False
        return True

    @property
    def pid(self) -> int:
        """Process id of the worker on this machine; in its own namespace it is 1."""
        (child,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(child)

    @property
    def network(self) -> int | None:
        """Id of the process in the worker's network; None until the worker has its own."""
        own, ours = (Path(f"/proc/{pid}/ns/net").readlink() for pid in (self._process.pid, "self"))
        return self._process.pid if own != ours else None

    def terminate(self) -> int:
        """Send SIGTERM to the worker and return its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self._process.wait(PATIENCE_S)


def _volume(folder: Path, user: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, user, user)
    return folder
