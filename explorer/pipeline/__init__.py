"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.exploration import Asked, Clean, Exploration, explore, percent, prepared, probabilities
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.findings import Finding
from explorer.pipeline.overlay import overlay
from explorer.pipeline.playback import Film, record
from explorer.pipeline.together import Member, explore_together, kind_of
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, smallest, try_out

__all__ = [
    "Asked",
    "Clean",
    "Exploration",
    "Film",
    "Finding",
    "Member",
    "Outcome",
    "WhatIf",
    "at_the_end",
    "explore",
    "explore_together",
    "kind_of",
    "overlay",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "prepared",
    "probabilities",
    "record",
    "report",
    "smallest",
    "snippet",
    "try_out",
]
