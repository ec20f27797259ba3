"""Signs in scenes: pictures, and the ground truth of where the evidence lies."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from explorer.signs.backgrounds import background, clouds, in_rgb, mix, tinted
from explorer.signs.canvas import SIDE
from explorer.signs.faces import face
from explorer.signs.scene import Scene

_FINE = 3  # the sign is projected at this many times the picture's size, then averaged: smooth edges
_DISTANCE = 5.0  # of the camera, in sign radii: how strong the perspective is
VISIBLE = 6  # grey levels of 255 from which two renders differ to the eye
_COVERED = 0.5  # mean element from which a pixel belongs to the sign
_SAME = 0.15  # difference of the mean element up to which two signs are equally specific at a pixel


@dataclass(frozen=True)
class GroundTruth:
    """Where two signs in one scene differ, by whose drawing it is: three disjoint (h, w) bool masks, and the signs."""

    only_true: np.ndarray  # parts of the true sign alone, e.g. a digit's stroke on the other's empty face
    only_wrong: np.ndarray
    both: np.ndarray  # equally specific in both, e.g. a red face against a blue one
    signs: np.ndarray  # what either sign covers, whether they differ there or not


def render(class_index: int, scene: Scene, size: int = 64) -> np.ndarray:
    """The picture of a sign: (size, size, 3) uint8, RGB. The same class and scene always give the same picture."""
    picture = _photograph(face(class_index).rgba, scene, size)
    noise = np.random.Generator(np.random.PCG64(scene.noise_seed)).standard_normal(picture.shape, np.float32)
    picture = _to_bytes(picture + noise * (scene.noise / 255))
    if scene.jpeg < 100:
        _, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg])
        picture = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(picture)


def ground_truth(scene: Scene, true: int, wrong: int, size: int = 64) -> GroundTruth:
    """Where the picture of `true` shows what that of `wrong` does not, and the other way round.

    Among the pixels that differ visibly before noise and JPEG, a pixel belongs to the sign whose element there is
    more specific: ink (border, glyph) over face (ground colour) over what is behind the sign.
    """
    pictures = [_to_bytes(_photograph(face(index).rgba, scene, size)).astype(int) for index in (true, wrong)]
    differs = np.abs(pictures[0] - pictures[1]).max(axis=2) >= VISIBLE
    elements = [_elements(index, scene, size) for index in (true, wrong)]
    lead = elements[0] - elements[1]
    only_true, only_wrong = differs & (lead > _SAME), differs & (lead < -_SAME)
    signs = np.maximum(*elements) > _COVERED
    return GroundTruth(only_true, only_wrong, differs & ~only_true & ~only_wrong, signs)


def silhouette(class_index: int, scene: Scene, size: int = 64) -> np.ndarray:
    """What the sign covers in the picture: (size, size) bool; what stands behind it, its post too, is left out."""
    return _elements(class_index, scene, size) > _COVERED


def _elements(class_index: int, scene: Scene, size: int) -> np.ndarray:
    """How specific what each pixel shows is, as the camera sees it: (size, size) float32."""
    return _blur(_project(face(class_index).element, scene, size), scene, size)


def _photograph(rgba: np.ndarray, scene: Scene, size: int) -> np.ndarray:
    """The picture before the sensor: (size, size, 3) float32, RGB, about 0..1."""
    y, x = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / np.float32(size)
    picture = _with_post(background(scene.background, scene.background_seed, size), x, y, scene)

    sign = _project(rgba, scene, size) * np.float32(1 / 255)
    colour, opacity = np.ascontiguousarray(sign[..., :3]), sign[..., 3]
    across = _along(x - scene.x, y - scene.y, scene.glare_angle) * (2 / scene.height)
    colour = colour * in_rgb(0.92 + scene.glare * across)
    if scene.dirt:
        spots = clouds(np.random.Generator(np.random.PCG64(scene.dirt_seed)), size, 5, 3)
        dirt = scene.dirt * np.clip((spots - 0.5) * 4, 0, 1)
        colour = colour * in_rgb(1 - dirt) + tinted(dirt * opacity, (0.33, 0.28, 0.22))
    picture = picture * in_rgb(1 - opacity) + colour

    light = np.full((size, size), scene.light, np.float32)
    if scene.shadow:
        side = _along(x - 0.5, y - 0.5, scene.shadow_angle) - scene.shadow_at
        light *= 1 - scene.shadow * np.clip(side * 16 + 0.5, 0, 1)
    picture = picture * tinted(light, (1 + 0.05 * scene.warmth, 1, 1 - 0.08 * scene.warmth))
    picture += scene.haze * (0.7 * scene.light - picture)
    return _blur(picture, scene, size)


def _along(x: np.ndarray, y: np.ndarray, angle: float) -> np.ndarray:
    """How far (x, y) lies in the direction of `angle`, in degrees. Plain floats keep the arrays at 32 bits."""
    radians = math.radians(angle)
    return x * math.cos(radians) + y * math.sin(radians)


def _with_post(picture: np.ndarray, x: np.ndarray, y: np.ndarray, scene: Scene) -> np.ndarray:
    """A round grey post from the sign's centre down."""
    radius = 0.045 * scene.height
    beside = (x - scene.x + (y - scene.y) * math.tan(math.radians(scene.roll))) / radius
    cover = np.clip((1 - np.abs(beside)) * radius * len(x) + 0.5, 0, 1) * (y > scene.y)
    steel = 0.62 - 0.22 * np.clip(beside, -1, 1)
    return mix(picture, in_rgb(steel), cover)


def _project(drawing: np.ndarray, scene: Scene, size: int) -> np.ndarray:
    """A drawing as the camera sees it: (size, size, ...) float32 in the drawing's units."""
    fine = _FINE * size
    flat = cv2.warpPerspective(drawing, _homography(scene, fine), (fine, fine), flags=cv2.INTER_LINEAR)
    return cv2.resize(flat, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)


def _homography(scene: Scene, side: int) -> np.ndarray:
    """From pixels of a drawing to pixels of a picture."""
    yaw, pitch, roll = np.radians([scene.yaw, scene.pitch, scene.roll])
    cos, sin = np.cos, np.sin
    turn_yaw = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
    turn_pitch = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
    turn_roll = np.array([[cos(roll), -sin(roll), 0], [sin(roll), cos(roll), 0], [0, 0, 1]])
    turn = turn_pitch @ turn_yaw @ turn_roll

    drawing_to_plane = np.array([[2 / SIDE, 0, 1 / SIDE - 1], [0, 2 / SIDE, 1 / SIDE - 1], [0, 0, 1]])
    plane_to_space = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, _DISTANCE]])
    zoom = scene.height / 2 * _DISTANCE * side
    camera = np.array([[zoom, 0, scene.x * side - 0.5], [0, zoom, scene.y * side - 0.5], [0, 0, 1]])
    return camera @ plane_to_space @ drawing_to_plane


def _blur(picture: np.ndarray, scene: Scene, size: int) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), scene.blur / 1000 * size) if scene.blur else picture


def _to_bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
