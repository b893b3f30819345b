"""Questions about everyday life, which no ticket of the sets answers. Written for this project."""

from typing import Final

from synthetic.gold import NOTHING as _SYNTHETIC

NOTHING: Final = (
    *_SYNTHETIC,
    "my tomato plants have yellow leaves",
    "best hiking trail near the lake",
    "how long does a boiled egg take",
    "the dishwasher leaks on the kitchen floor",
    "lost my umbrella on the bus",
    "when does the school year start",
    "how to knit a scarf",
    "the museum is closed on Mondays, isn't it?",
    "which vaccine does a puppy need",
    "repaint the hallway in light grey",
    "is this mushroom edible",
    "flight was cancelled because of fog",
    "my bicycle chain keeps slipping",
    "how do I get rid of ants in the garden",
    "the choir rehearsal moved to Thursday",
    "directions to the swimming pool",
    "what should I wear to a wedding in spring",
    "the elevator smells of paint",
    "translate this poem into Latin",
    "my tooth hurts when I drink cold water",
    "Wann fährt die letzte Straßenbahn?",
    "une recette de soupe à l'oignon",
    "¿cómo se cuida un cactus?",
    "quanto costa un biglietto per l'opera",
)
