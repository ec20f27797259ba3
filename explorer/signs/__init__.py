"""Rendered road signs: a picture is a function of a class and a scene, so what differs between classes is known."""

from explorer.signs.faces import CLASS_NAMES
from explorer.signs.render import GroundTruth, ground_truth, render, silhouette
from explorer.signs.scene import Scene

__all__ = ["CLASS_NAMES", "GroundTruth", "Scene", "ground_truth", "render", "silhouette"]
