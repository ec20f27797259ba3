"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.address import UPLOAD, query_of
from explorer.pipeline.arrival import Arrival, look_at
from explorer.pipeline.collection import TABLE, Collection, Picture, archive, summary
from explorer.pipeline.escaping import one_line
from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.files import FILES, RESULT, run_files
from explorer.pipeline.findings import Finding
from explorer.pipeline.overlay import overlay
from explorer.pipeline.paper import PAPER, paper_kit
from explorer.pipeline.playback import Film, record
from explorer.pipeline.restoring import Settings, restorable, settings_of
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, smallest, try_out

__all__ = [
    "FILES",
    "PAPER",
    "RESULT",
    "TABLE",
    "UPLOAD",
    "Arrival",
    "Collection",
    "Exploration",
    "Film",
    "Finding",
    "Outcome",
    "Picture",
    "Settings",
    "WhatIf",
    "archive",
    "at_the_end",
    "explore",
    "look_at",
    "one_line",
    "overlay",
    "paper_kit",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "query_of",
    "record",
    "report",
    "restorable",
    "run_files",
    "settings_of",
    "smallest",
    "snippet",
    "summary",
    "try_out",
]
