"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.address import UPLOAD, query_of
from explorer.pipeline.arrival import Arrival, first_look
from explorer.pipeline.collection import TABLE, Collection, Picture, archive, summary
from explorer.pipeline.cures import Advice, advise, trials
from explorer.pipeline.escaping import cell, one_line
from explorer.pipeline.exploration import Asked, Clean, Exploration, explore, percent, prepared, probabilities
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.files import FILES, FOOLS, RESULT, check_folder, run_files
from explorer.pipeline.findings import Cure, Finding
from explorer.pipeline.ghost import Ghost
from explorer.pipeline.overlay import overlay
from explorer.pipeline.painting import Painting, hex_colour
from explorer.pipeline.paper import PAPER, paper_kit
from explorer.pipeline.playback import Film, Frame, record
from explorer.pipeline.quiz import Riddle, fewest_back, riddles
from explorer.pipeline.response import Point, Response, along, answering, bare, respond, stops, try_settings
from explorer.pipeline.restoring import Settings, restorable, settings_of
from explorer.pipeline.together import Member, explore_together, kind_of
from explorer.pipeline.what_if import Outcome, WhatIf, at_the_end, look_at, smallest, try_out

__all__ = [
    "FILES",
    "FOOLS",
    "PAPER",
    "RESULT",
    "TABLE",
    "UPLOAD",
    "Advice",
    "Arrival",
    "Asked",
    "Clean",
    "Collection",
    "Cure",
    "Exploration",
    "Film",
    "Finding",
    "Frame",
    "Ghost",
    "Member",
    "Outcome",
    "Painting",
    "Picture",
    "Point",
    "Response",
    "Riddle",
    "Settings",
    "WhatIf",
    "advise",
    "along",
    "answering",
    "archive",
    "at_the_end",
    "bare",
    "cell",
    "check_folder",
    "explore",
    "explore_together",
    "fewest_back",
    "first_look",
    "hex_colour",
    "kind_of",
    "look_at",
    "one_line",
    "overlay",
    "paper_kit",
    "percent",
    "picture_sha256",
    "pixels_csv",
    "prepared",
    "probabilities",
    "query_of",
    "record",
    "report",
    "respond",
    "restorable",
    "riddles",
    "run_files",
    "settings_of",
    "smallest",
    "snippet",
    "stops",
    "summary",
    "trials",
    "try_out",
    "try_settings",
]
