"""Sign-ins that have ended before their access tokens: users have signed out, or an operator has ended them.

Only ends are kept, not sign-ins: a token itself says everything else.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

#: `Ending.until_ms` of a sign-in that has ended, whenever its tokens were issued.
ALWAYS_MS: Final = 2**53


class Ending(Struct, frozen=True):
    """An end of sign-ins.

    Attributes:
        key: names a sign-in, or all sign-ins of a user.
        until_ms: those that began then or earlier have ended, in ms since the epoch.
        expires_ms: when no token of such a sign-in can be valid any more. From then on it is not found, whether or not
            the store has removed it.
    """

    key: str
    until_ms: int
    expires_ms: int


class Endings(Protocol):
    """Keeps ends of sign-ins, for several threads and processes. Every method may raise `TransientError`.

    Attributes:
        blocking: whether calls wait for a disk or a network.
    """

    blocking: bool

    def put(self, ending: Ending, *, now_ms: int) -> None:
        """Keep an end; every process finds it once this returns. Of two with the same key, the later one stays."""
        ...

    def find(self, keys: Sequence[str], *, now_ms: int) -> Sequence[Ending]:
        """The ends of these keys that have not expired."""
        ...

    def close(self) -> None:
        """Release the store; idempotent."""
        ...
