"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.arrival import Arrival, look_at
from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.findings import Finding
from explorer.pipeline.overlay import overlay
from explorer.pipeline.playback import Film, record
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, smallest, try_out

__all__ = [
    "Arrival",
    "Exploration",
    "Film",
    "Finding",
    "Outcome",
    "WhatIf",
    "at_the_end",
    "explore",
    "look_at",
    "overlay",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "record",
    "report",
    "smallest",
    "snippet",
    "try_out",
]
