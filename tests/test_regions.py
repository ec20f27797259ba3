"""Regions and limits: no attack changes a pixel outside its region, or any by more than its limit, in any stage; what a
region is, and how people say it.
"""

import dataclasses
import json
import math
import zlib
from base64 import urlsafe_b64encode

import pytest
import torch
from app_page import open_page, problems, story
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.__main__ import main
from explorer.attacks import ATTACKS, SparseAttack
from explorer.classifiers import load_classifier
from explorer.grid import changed_pixels, from_levels, levels, to_grid
from explorer.images import enlarge, from_uint8, load_image, to_png
from explorer.pipeline import explore, record, report, snippet
from explorer.regions import MAX_CORNERS, Region
from explorer.samples import find_sample
from explorer.signs import Scene, ground_truth, silhouette
from explorer.ui import runs
from explorer.ui.caches import Question
from explorer.ui.pictures.outline import outline
from explorer.ui.regions import INSIDE, MAX_LINK, NOT_SIGN, OUTSIDE, SIGN

SIDE = 8
QUICK = {
    "sparse": {"steps": 15},
    "sigma-zero": {"steps": 15},
    "greedy": {},
    "random": {"queries": 30, "k": 4},
    "sparsefool": {"steps": 3, "dense_steps": 4},
    "pgd0": {"steps": 4, "restarts": 2, "smallest": True},
    "sparse-pgd": {"steps": 5, "smallest": True},
}
BOX = Region.box((64, 64), 20, 10, 16, 30)
MEANWHILE = "Meanwhile, every pixel may change."
FAST = SparseAttack(steps=25, polish=False)


def random_mask(share: float, seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> torch.Tensor:
    """A mask of about this share of the pixels, at least one."""
    order = torch.randperm(size[0] * size[1], generator=torch.Generator().manual_seed(seed))
    return (order < max(1, round(share * len(order)))).view(size)


@pytest.fixture(scope="module")
def network():
    """Small and bent, so that what a stage finds depends on what the others found."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * (SIDE - 2) ** 2, 3))


@pytest.mark.parametrize("name", ATTACKS)
@given(
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
    limit=st.floats(1 / 255, 1) | st.integers(1, 255).map(lambda level: level / 255),
    unit=st.sampled_from(["pixel", "entry"]),
    prune=st.booleans(),
    polish=st.booleans(),
    queries=st.sampled_from([0, 20]),
)
@example(share=0.5, seed=0, limit=1 / 255, unit="entry", prune=True, polish=True, queries=20)
@settings(max_examples=50, deadline=None)
def test_no_stage_changes_a_pixel_outside_or_by_more_than_the_limit(
    name, network, share, seed, limit, unit, prune, polish, queries
):
    attack = ATTACKS[name](
        **QUICK[name], unit=unit, prune=prune, polish=polish, random_queries=queries, max_change=limit
    )
    share = max(share, attack.needs_units / SIDE**2)
    regions = torch.stack([random_mask(share, seed + number) for number in range(2)])
    images = to_grid(torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)))
    result = attack(network, images, network(images).argmax(1), region=regions)
    assert result.stages
    for adversarial in (*result.stages.values(), result.adversarial):
        read = torch.stack([load_image(to_png(each)) for each in adversarial])
        assert torch.equal(read, adversarial), "it is on the grid"
        changes = (levels(read).int() - levels(images).int()).abs()
        assert not changes.any(1)[~regions].any()
        assert changes.max() <= 255 * limit + 1e-6


def test_one_region_for_all_is_that_region_for_each(network):
    mask = random_mask(0.3, 1)
    images = to_grid(torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)))
    labels = network(images).argmax(1)
    one, each = (FAST(network, images, labels, region=region).adversarial for region in (mask, mask.expand(2, -1, -1)))
    assert torch.equal(one, each)


@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 1), st.integers(0, 2**31))
@settings(deadline=None)
def test_a_region_is_its_mask_and_its_text(height, width, share, seed):
    mask = random_mask(share, seed, (height, width))
    region = Region.of(mask)
    again = Region.parse(region.text)
    assert torch.equal(region.mask, mask)
    assert (again, hash(again)) == (region, hash(region))
    assert region.n_pixels == int(mask.sum())
    assert region.size == (height, width)
    if not mask.all():
        assert torch.equal(region.inverse.mask, ~mask)
        assert region.inverse.inverse == region
        assert (region | region.inverse).mask.all()


def test_a_text_is_short():
    assert len(BOX.text) < 60
    circle = [(112 + 90 * math.cos(t / 50), 112 + 70 * math.sin(t / 50)) for t in range(314)]
    assert len(Region.polygon((224, 224), circle).text) < 600 < MAX_LINK
    assert len(Region.of(random_mask(0.5, 0, (299, 299))).text) < 16_000, "the worst that can come"


def text_of(bits: bytes, size: str = "64x64") -> str:
    return f"{size}." + urlsafe_b64encode(zlib.compress(bits)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "HEIGHTxWIDTH"),
        ("64x64", "HEIGHTxWIDTH"),
        ("0x64.AAAA", "HEIGHTxWIDTH"),
        ("9999x9999.AAAA", "sides up to"),
        ("64x64.AAAA", "does not unpack"),
        ("64x64.é", "does not unpack"),
        ("64x64.A", "does not unpack"),
        (BOX.text + "%", "does not unpack"),
        (BOX.text[:-8], "not of its size"),
        (BOX.text.replace("64x64", "64x72"), "not of its size"),
        (text_of(bytes(10**8)), "too long"),
        (text_of(bytes(10**5)), "not of its size"),
        (text_of(bytes(512)), "empty"),
        ("64x64." + "A" * 10**6, "too long"),
    ],
)
def test_a_malformed_text_is_one_sentence(text, message):
    with pytest.raises(ValueError, match=message) as refusal:
        Region.parse(text)
    assert len(str(refusal.value)) < 160


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Region.of(torch.zeros(8, 8, dtype=torch.bool)), "empty"),
        (lambda: Region.of(torch.ones(8, 8)), "bool tensor"),
        (lambda: Region.of(torch.ones(1, 8, 8, dtype=torch.bool)), "bool tensor"),
        (lambda: Region.of([[True]]), "got list"),
        (lambda: Region.box((8, 8), 4, 0, 5, 1), "8 rows and 8 columns"),
        (lambda: Region.box((8, 8), 0, 0, 0, 1), "8 rows and 8 columns"),
        (lambda: Region.box((8, 8), -1, 0, 2, 2), "8 rows and 8 columns"),
        (lambda: Region.box((8, 8), 0, 0, 8, 8).inverse, "empty"),
        (lambda: Region.polygon((8, 8), [(0, 0), (0.4, 0), (0, 0.4)]), "no pixel's middle"),
        (lambda: Region.polygon((8, 8), [(0, 0), (8, 8)]), "corners"),
        (lambda: Region.polygon((8, 8), [(0, 0), (8, 8), (math.nan, 0)]), "corners"),
        (lambda: Region.polygon((8, 8), [(0, 0)] * (MAX_CORNERS + 1)), "corners"),
        (lambda: Region.from_file(to_png(torch.zeros(3, 8, 8)), (8, 8)), "empty"),
        (lambda: Region.from_file(to_png(torch.ones(3, 8, 9)), (8, 8)), "9 × 8 pixels; expected 8 × 8"),
        (lambda: Region.from_file(to_png(torch.ones(3, 8, 9)), (8, 8), (90, 60)), "expected 60 × 90 or 8 × 8"),
        (lambda: Region.from_file(b"no picture", (8, 8)), "cannot be read as a picture"),
    ],
)
def test_a_bad_region_is_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_polygon_holds_the_pixels_whose_middle_it_encloses():
    square = Region.polygon((8, 8), [(1.4, 2.4), (5.4, 2.4), (5.4, 6.6), (1.4, 6.6)])
    assert square == Region.box((8, 8), 2, 1, 5, 4)
    beyond = Region.polygon((8, 8), [(-100, 3), (100, 3), (100, 100), (-100, 100)])
    assert beyond == Region.box((8, 8), 3, 0, 5, 8)
    ring = [(0, 0), (8, 0), (8, 8), (0, 8), (0, 0), (2, 2), (2, 6), (6, 6), (6, 2), (2, 2)]
    assert Region.polygon((8, 8), ring) == Region.box((8, 8), 2, 2, 4, 4).inverse


def test_a_mask_says_by_brightness_and_opacity_what_may_change(tmp_path):
    from PIL import Image

    grey = from_levels(torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(3, -1, -1))
    assert Region.from_file(to_png(grey), (16, 16)).n_pixels == 128
    file = tmp_path / "mask.png"
    clear = Image.new("RGBA", (4, 2), (255, 255, 255, 0))
    clear.putpixel((1, 0), (255, 255, 255, 255))
    clear.putpixel((2, 0), (255, 255, 255, 100))
    clear.putpixel((3, 0), (0, 0, 0, 255))
    clear.save(file)
    assert Region.from_file(file.read_bytes(), (2, 4)) == Region.box((2, 4), 0, 1, 1, 1)


def test_a_mask_of_the_pictures_size_is_cropped_and_resized_as_the_picture():
    mask = torch.zeros(3, 60, 100)
    mask[:, :30, :50] = 1  # its upper left quarter; the crop takes the 60 columns in the middle
    region = Region.from_file(to_png(mask), (20, 20), (60, 100))
    assert region == Region.box((20, 20), 0, 0, 10, 10)
    small = to_png(from_uint8(BOX.mask[..., None].expand(-1, -1, 3).numpy() * 255))
    big = Region.from_file(small, (128, 128), (64, 64))
    assert torch.equal(big.mask, enlarge(BOX.mask[None], 2)[0])


def test_the_sign_covers_what_its_ground_truth_says():
    sample = find_sample("stop-1")
    sign = Region.sign(sample.label, sample.meta["seed"], (64, 64))
    scene = Scene.sample(sample.meta["seed"])
    same = torch.from_numpy(ground_truth(scene, sample.label, sample.label).signs)
    assert torch.equal(sign.mask, same)
    assert torch.equal(sign.mask, torch.from_numpy(silhouette(sample.label, scene)))
    assert sign.mask[30, 38], "the middle of the sign"
    assert not sign.mask[0].any()
    assert Region.sign(sample.label, sample.meta["seed"], (128, 128)).n_pixels == 4 * sign.n_pixels


@given(st.floats(0, 1), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_the_outline_encloses_the_region_and_nothing_else(share, seed):
    region = Region.of(random_mask(share, seed))
    loops = [
        [tuple(map(int, corner.split())) for corner in loop.replace("M", "").split("L")]
        for loop in outline(region).split("Z")
        if loop
    ]
    odd = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    for loop in loops:
        odd ^= Region.polygon((SIDE, SIDE), loop).mask
    assert torch.equal(odd, region.mask)


# A person's questions.


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-resnet", device="cpu")


@pytest.fixture(scope="module")
def confined(clf):
    return explore(clf, find_sample("stop-1").image, FAST, region=BOX, splits=0)


def test_an_exploration_keeps_to_its_region_and_says_so(confined):
    assert confined.succeeded
    assert not changed_pixels(confined.image, confined.adversarial)[~BOX.mask].any()
    assert confined.story.endswith(f"by {confined.n_pixels} of 4,096 pixels, inside the region of 480 pixels")
    assert report(confined)["region"] == {"n_pixels": 480, "text": BOX.text}
    assert Region.parse(json.loads(json.dumps(report(confined)))["region"]["text"]) == BOX
    assert not confined.same_attack(dataclasses.replace(confined, region=None))


def test_the_film_and_the_program_repeat_it(confined, clf, tmp_path, monkeypatch, capsys):
    film = record(clf, confined)
    assert torch.equal(from_uint8(film.picture(-1)), confined.adversarial)
    (tmp_path / "picture.png").write_bytes(to_png(confined.image))
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet(confined), "snippet.py", "exec"), {"__name__": "snippet"})
    assert f", by {confined.n_pixels} pixels" in capsys.readouterr().out


def test_a_region_that_does_not_fit_is_one_sentence(clf):
    image = find_sample("stop-1").image
    with pytest.raises(ValueError, match=r"sees 64 × 64 pixels; the region is one of 8 × 9"):
        explore(clf, image, FAST, region=Region.box((8, 9), 0, 0, 2, 2))
    with pytest.raises(ValueError, match="at least"):
        explore(clf, image, ATTACKS["random"](k=24, queries=10), region=Region.box((64, 64), 0, 0, 2, 2))


def test_failing_inside_a_region_names_it_as_the_cause(clf):
    missed = explore(clf, find_sample("stop-1").image, FAST, region=Region.box((64, 64), 0, 0, 1, 1), splits=0)
    assert not missed.succeeded
    assert missed.story.endswith("inside the region of 1 pixel")
    assert "a larger region" in missed.findings[0].cure


def test_two_regions_are_two_questions():
    asked = [
        Question("a", "network", FAST, None, "method", None, image=torch.zeros(3, 1, 1), region=region)
        for region in (None, BOX, BOX.inverse)
    ]
    assert len({*asked}) == 3
    assert len({each.attacked for each in asked}) == 3
    assert dataclasses.replace(asked[1], region=Region.parse(BOX.text)) == asked[1]


MODEL = ["--model", "signs-resnet", "--device", "cpu", "--steps", "25", "--no-polish"]


def attack(out, *options: str) -> int:
    try:
        return main(["attack", "stop-1", *MODEL, "--out", str(out), *options])
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize("where", ["mask.png", "sign", "not-sign", "box:20,10,16,30"])
def test_the_command_line_keeps_to_a_region_and_a_limit(where, tmp_path):
    sample = find_sample("stop-1")
    sign = Region.sign(sample.label, sample.meta["seed"], (64, 64))
    region = {"sign": sign, "not-sign": sign.inverse}.get(where, BOX)
    if where == "mask.png":
        where = tmp_path / where
        where.write_bytes(to_png(region.mask.float().expand(3, -1, -1)))
    assert attack(tmp_path, "--region", str(where), "--max-change", "0.7") in (0, 3)
    changes = (levels(load_image(tmp_path / "adversarial.png")).int() - levels(sample.image).int()).abs()
    assert changes.any()
    assert not changes.any(0)[~region.mask].any()
    assert changes.max() <= 178, "0.7 of 255 is 178.5"
    assert json.loads((tmp_path / "result.json").read_text())["region"]["text"] == region.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--region", "empty.png"], "The region is empty"),
        (["--region", "other.png"], "The mask has 9 × 8 pixels; expected 64 × 64"),
        (["--region", "gone.png"], "--region is a mask's file, sign, not-sign or box"),
        (["--region", "box:1,2,3"], "four whole numbers"),
        (["--region", "box:60,0,8,8"], "must lie in the picture"),
        (["--max-change", "0"], "max_change must lie in"),
    ],
)
def test_a_bad_region_on_the_command_line_is_one_sentence(options, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty.png").write_bytes(to_png(torch.zeros(3, 64, 64)))
    (tmp_path / "other.png").write_bytes(to_png(torch.ones(3, 8, 9)))
    monkeypatch.chdir(tmp_path)
    assert attack("out", *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_only_a_rendered_sign_has_a_sign(tmp_path, capsys):
    picture = tmp_path / "mine.png"
    picture.write_bytes(to_png(find_sample("stop-1").image))
    assert main(["attack", str(picture), *MODEL, "--out", str(tmp_path), "--region", "sign"]) == 2
    assert "needs a rendered sign" in capsys.readouterr().err


@pytest.fixture
def _patient(monkeypatch):
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize(("where", "n_pixels"), [(INSIDE, 480), (OUTSIDE, 4096 - 480), (SIGN, 2010), (NOT_SIGN, 2086)])
def test_the_links_region_is_what_is_attacked(where, n_pixels):
    app = open_page(where=where, region=BOX.text)
    assert problems(app) == []
    assert story(app).endswith(f", inside the region of {n_pixels:,} pixels")
    exploration = app.session_state.session.shown
    assert exploration.region.n_pixels == n_pixels
    assert not changed_pixels(exploration.image, exploration.adversarial)[~exploration.region.mask].any()


@pytest.mark.usefixtures("_patient")
def test_a_box_by_numbers_is_put_into_the_link_and_can_be_cleared():
    app = open_page(where=INSIDE)
    assert app.toggle(key="drawing").value
    assert story(app).endswith("of 4,096 pixels"), "nothing is drawn yet"
    for name, value in {"row": 20, "col": 10, "height": 16, "width": 30}.items():
        app.number_input(key=f"box_{name}_64x64").set_value(value)
    button_of(app, "Use this box").click().run()
    assert app.query_params["region"] == BOX.text
    assert story(app).endswith("inside the region of 480 pixels")
    button_of(app, "Clear").click().run()
    assert "region" not in app.query_params
    assert story(app).endswith("of 4,096 pixels")
    app.number_input(key="box_row_64x64").set_value(60)
    button_of(app, "Use this box").click().run()
    assert problems(app) == [
        "The box must lie in the picture of 64 rows and 64 columns; got 16 × 30 pixels from row 60, column 10."
    ]


def button_of(app, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


@pytest.mark.usefixtures("_patient")
def test_a_damaged_or_unfitting_region_in_the_link_is_one_sentence():
    app = open_page(where=INSIDE, region="64x64.nonsense")
    assert problems(app) == [f"The region's text is damaged: '64x64.nonsense' does not unpack. {MEANWHILE}"]
    assert story(app).endswith("of 4,096 pixels")
    app = open_page(where=INSIDE, region=Region.box((32, 32), 0, 0, 4, 4).text)
    fits = "The drawn region is one of 32 × 32 pixels, but the network sees 64 × 64: clear it, or draw another."
    assert problems(app) == [f"{fits} {MEANWHILE}"]
    app = open_page(where=OUTSIDE, region=Region.box((64, 64), 0, 0, 64, 64).text)
    assert problems(app) == [f"The region is empty: at least one pixel must be allowed to change. {MEANWHILE}"]
    assert story(app).endswith("of 4,096 pixels")


@pytest.mark.usefixtures("_patient")
def test_only_a_rendered_sign_offers_the_sign():
    app = open_page(picture="chelsea", where=SIGN)
    assert problems(app) == []
    assert app.selectbox(key="where").value == "Everywhere"
    assert SIGN not in app.selectbox(key="where").options
