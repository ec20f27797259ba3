"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.collection import TABLE, Collection, Picture, archive, summary
from explorer.pipeline.escaping import one_line
from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.files import FILES, RESULT, run_files
from explorer.pipeline.findings import Finding
from explorer.pipeline.overlay import overlay
from explorer.pipeline.playback import Film, record
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, smallest, try_out

__all__ = [
    "FILES",
    "RESULT",
    "TABLE",
    "Collection",
    "Exploration",
    "Film",
    "Finding",
    "Outcome",
    "Picture",
    "WhatIf",
    "archive",
    "at_the_end",
    "explore",
    "one_line",
    "overlay",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "record",
    "report",
    "run_files",
    "smallest",
    "snippet",
    "summary",
    "try_out",
]
