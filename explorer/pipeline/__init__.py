"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.cures import Advice, advise, trials
from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.findings import Cure, Finding
from explorer.pipeline.ghost import Ghost
from explorer.pipeline.overlay import overlay
from explorer.pipeline.playback import Film, Frame, record
from explorer.pipeline.response import Point, Response, along, answering, bare, respond, stops, try_settings
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, smallest, try_out

__all__ = [
    "Advice",
    "Cure",
    "Exploration",
    "Film",
    "Finding",
    "Frame",
    "Ghost",
    "Outcome",
    "Point",
    "Response",
    "WhatIf",
    "advise",
    "along",
    "answering",
    "at_the_end",
    "bare",
    "explore",
    "overlay",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "record",
    "report",
    "respond",
    "smallest",
    "snippet",
    "stops",
    "trials",
    "try_out",
    "try_settings",
]
