"""The whole story: a picture, the attack on it, why the network changed its mind, and files that tell it elsewhere."""

from explorer.pipeline.exploration import Exploration, explore, percent
from explorer.pipeline.exports import picture_sha256, pixels_csv, report, snippet
from explorer.pipeline.findings import Finding

__all__ = ["Exploration", "Finding", "explore", "percent", "picture_sha256", "pixels_csv", "report", "snippet"]
