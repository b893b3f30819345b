"""What a run found, as the table that `make tf-test` ends with."""

from typing import Final

_HEAD: Final = ("what", "where", "figure")


class Table:
    """Rows in the order they were found."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, str]] = []

    def row(self, what: str, where: str, figure: object) -> None:
        """One finding."""
        self._rows.append((what, where, str(figure)))

    def lines(self) -> list[str]:
        """The table, in columns; nothing where nothing was found."""
        if not self._rows:
            return []
        rows = [_HEAD, *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows]
