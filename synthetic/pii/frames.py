"""Sentences around a value, in the languages and scripts that customers write in."""

from typing import Final

from synthetic.pii.latin import LATIN
from synthetic.pii.scripts import OTHER_SCRIPTS
from synthetic.pii.tongue import Tongue

TONGUES: Final[dict[str, Tongue]] = {**LATIN, **OTHER_SCRIPTS}

#: Countries whose telephone numbers these languages write.
REGIONS: Final = tuple(dict.fromkeys(region for tongue in TONGUES.values() for region in tongue.regions))
