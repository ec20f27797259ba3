"""What one visitor, and all of them together, may ask of a server. Whoever runs one sets them in its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from explorer.knobs import Knob, check, knob, knobs

PREFIX = "EXPLORER_MAX_"  # of the environment's names


@dataclass(frozen=True)
class Limits:
    """Every field is a knob; its name in the environment is `variable(name)`."""

    pictures: int = knob(40, "Pictures that one visitor may upload at a time.", low=1, high=1000)
    picture_mb: int = knob(10, "Megabytes of a picture's file.", low=1, high=200)
    picture_megapixels: int = knob(
        25, "Million pixels of a picture; each takes about 8 MB while it is read.", low=1, high=150
    )
    networks: int = knob(16, "Networks that all visitors together may have uploaded.", low=0, high=1000)
    networks_mb: int = knob(4000, "Megabytes of these networks together.", low=0, high=1_000_000)
    network_mb: int = knob(
        200, "Megabytes of one of them; above 200, `STREAMLIT_SERVER_MAX_UPLOAD_SIZE` too.", low=1, high=600
    )
    run_seconds: int = knob(
        120, "Seconds of work after which a run stops; more for a network that is known to need it.", low=5, high=86_400
    )
    long_run_seconds: int = knob(
        900,
        "The same for a grid or a search on the page Tune, and for a data set: it can be continued.",
        low=5,
        high=86_400,
    )
    all_seconds: int = knob(3600, "The same for *Attack all*.", low=5, high=86_400)
    batch: int = knob(32, "Runs of several visitors that are joined into one.", low=1, high=64)
    grid_runs: int = knob(4096, "Runs of one grid on the page Tune.", low=1, high=100_000)
    dataset_attacks: int = knob(600, "Attacks of one study on the page Data set.", low=1, high=100_000)
    answers: int = knob(64, "Results that are kept in memory, for the next one who asks the same.", low=1, high=10_000)
    run_files: int = knob(1000, "Grids, searches and data sets that are kept on the disk.", low=1, high=1_000_000)
    rooms: int = knob(20, "Rooms at once.", low=0, high=1000)
    members: int = knob(60, "Members of one room.", low=1, high=1000)
    room_minutes: int = knob(180, "Minutes after which a room ends.", low=5, high=1440)
    silent_minutes: int = knob(30, "Minutes without a word from anybody after which it ends.", low=1, high=1440)

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Limits":
        """Those that the environment sets, the others by default. Raises ValueError with one sentence."""
        own = knobs(cls)
        named = {variable(name): each for name, each in own.items()}
        for name in environment:
            if name.startswith(PREFIX) and name not in named:
                raise ValueError(f"There is no limit called {name}: there are {', '.join(named)}.")
        return cls(
            **{each.name: _number(name, each, environment[name]) for name, each in named.items() if name in environment}
        )


def variable(name: str) -> str:
    """What a limit is called in the environment."""
    return PREFIX + name.upper()


@cache
def limits() -> Limits:
    """Those of this server. Raises ValueError with one sentence where the environment is wrong."""
    return Limits.read(os.environ)


def _number(name: str, of: Knob, text: str) -> int:
    try:
        number = int(text)
        of.check(number)
    except ValueError:
        raise ValueError(f"{name} is a whole number from {of.low} to {of.high}; got {text[:40]!r}.") from None
    return number
