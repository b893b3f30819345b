"""Checks an overlay, ours or yours: `python -m tests.deploy.k8s FOLDER`. Exits with 1 if it finds faults."""

import sys
from pathlib import Path

from tests.deploy.k8s.rules import findings
from tests.deploy.k8s.schemas import complaints
from tests.deploy.k8s.stack import Stack, build


def main(arguments: list[str]) -> int:
    """Print the faults of the objects that a folder's kustomization makes."""
    if len(arguments) != 1:
        print("name one folder: python -m tests.deploy.k8s deploy/k8s-ecs/k8s/overlays/prod", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        stack = Stack(folder.resolve().name, build(folder))
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    found = [complaint for made in stack.objects for complaint in complaints(made)] or findings(stack)
    print("\n".join(found) or f"{len(stack.objects)} objects without faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
