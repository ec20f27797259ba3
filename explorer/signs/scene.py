"""Everything about a picture of a sign but the sign itself."""

from dataclasses import dataclass

import numpy as np

from explorer.signs.backgrounds import BACKGROUNDS


@dataclass(frozen=True)
class Scene:
    """Where the sign stands, how it is lit and how it was photographed.

    Lengths are fractions of the picture's side, angles are degrees. The same scene can be drawn with any sign.
    """

    background: str = "sky"  # a key of BACKGROUNDS
    background_seed: int = 0
    height: float = 0.8  # how much of the picture the sign fills: near or far
    x: float = 0.5  # the sign's centre, from the left
    y: float = 0.5  # and from the top
    yaw: float = 0.0  # turned about the post: positive shows its right edge farther away
    pitch: float = 0.0  # leaning back
    roll: float = 0.0  # turned in its plane, clockwise
    light: float = 1.0  # brightness of the daylight
    warmth: float = 0.0  # -1 bluish .. 1 yellowish
    glare: float = 0.0  # how much brighter the sign is at one side than in the middle
    glare_angle: float = 0.0  # where that side is
    shadow: float = 0.0  # share of the light that a shadow across the picture takes
    shadow_angle: float = 0.0
    shadow_at: float = 0.0  # where its edge runs: 0 through the middle
    haze: float = 0.0  # share of the picture that a grey veil covers
    dirt: float = 0.0  # greatest opacity of the dirt on the sign
    dirt_seed: int = 0
    blur: float = 0.0  # standard deviation, in thousandths of the side
    noise: float = 0.0  # standard deviation of the sensor's noise, grey levels of 255
    noise_seed: int = 0
    jpeg: int = 100  # quality 1..100

    @classmethod
    def sample(cls, seed: int) -> "Scene":
        """The scene of this seed (>= 0): the same on every machine."""
        random = np.random.Generator(np.random.PCG64(seed))
        height = random.uniform(0.56, 0.9)
        room = (1 - height) / 2
        seeds = random.integers(0, 2**31, 3)
        return cls(
            background=str(random.choice(list(BACKGROUNDS))),
            background_seed=int(seeds[0]),
            height=height,
            x=0.5 + random.uniform(-room, room),
            y=0.5 + random.uniform(-room, room) * 0.8,
            yaw=random.uniform(-38, 38),
            pitch=random.uniform(-18, 18),
            roll=random.normal(0, 5),
            light=random.uniform(0.4, 1.1),
            warmth=random.uniform(-0.7, 1),
            glare=random.uniform(0, 0.22),
            glare_angle=random.uniform(0, 360),
            shadow=random.uniform(0.15, 0.4) if random.random() < 0.35 else 0.0,
            shadow_angle=random.uniform(0, 360),
            shadow_at=random.uniform(-0.3, 0.3),
            haze=random.uniform(0.1, 0.55) if random.random() < 0.5 else 0.0,
            dirt=random.uniform(0.1, 0.5) if random.random() < 0.4 else random.uniform(0, 0.1),
            dirt_seed=int(seeds[1]),
            blur=random.uniform(3, 13),
            noise=random.uniform(0.5, 5),
            noise_seed=int(seeds[2]),
            jpeg=int(random.integers(65, 98)),
        )
