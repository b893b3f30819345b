"""The table of figures at the end of `make tf-test`."""

from typing import Final

_HEAD: Final = ("what", "where", "figure")


class Table:
    """Rows in the order in which tests add them."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, str]] = []

    def row(self, what: str, where: str, figure: object) -> None:
        """Add a row."""
        self._rows.append((what, where, str(figure)))

    def lines(self) -> list[str]:
        """The lines of the table; none without rows."""
        if not self._rows:
            return []
        rows = [_HEAD, *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows]
