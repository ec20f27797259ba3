"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.findings import Finding
from explorer.pipeline.overlay import overlay
from explorer.pipeline.painting import Painting, hex_colour
from explorer.pipeline.playback import Film, record
from explorer.pipeline.quiz import Riddle, fewest_back, riddles
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, look_at, smallest, try_out

__all__ = [
    "Exploration",
    "Film",
    "Finding",
    "Outcome",
    "Painting",
    "Riddle",
    "WhatIf",
    "at_the_end",
    "explore",
    "fewest_back",
    "hex_colour",
    "look_at",
    "overlay",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "record",
    "report",
    "riddles",
    "smallest",
    "snippet",
    "try_out",
]
