"""What if: the picture that is meant, and what the network sees in it."""

import threading
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import SparseAttack, load_classifier
from explorer.locks import exclusive
from explorer.pipeline import WhatIf, at_the_end, explore, smallest, try_out
from explorer.samples import find_sample


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-cnn", device="cpu")


@pytest.fixture(scope="module")
def exploration(clf):
    return explore(clf, find_sample("stop-1").image, SparseAttack(steps=25, polish=False), splits=0)


def test_nothing_changed_is_the_attacked_picture(clf, exploration):
    outcome = try_out(clf, exploration, WhatIf())
    assert torch.equal(outcome.picture, exploration.adversarial)
    assert outcome.label == exploration.adversarial_label
    assert torch.allclose(outcome.probabilities, exploration.after, atol=1e-5)
    assert outcome.margin < 0


def test_nobody_else_s_work_on_the_network_is_waited_for(clf, exploration):
    def ask() -> None:
        repair = smallest(clf, exploration, repair=True)
        told.append(try_out(clf, exploration, WhatIf(frozenset(repair.pixels))).margin)

    told: list[float] = []
    ask()
    asking = threading.Thread(target=ask, daemon=True)
    with exclusive(clf):
        asking.start()
        asking.join(30)
        assert told == told[:1] * 2


def test_all_put_back_or_no_strength_is_the_clean_picture(clf, exploration):
    everything = range(len(exploration.evidence.pixels))
    for what_if in (WhatIf().with_back(everything), WhatIf(strength=0.0)):
        outcome = try_out(clf, exploration, what_if)
        assert torch.equal(outcome.picture, exploration.image)
        assert outcome.label == exploration.label
        assert outcome.margin > 0


@settings(max_examples=25, deadline=None)
@given(back=st.sets(st.integers(0, 4)), strength=st.floats(0, 1.5), moves=st.lists(st.integers(-99, 99), min_size=2))
def test_only_the_pixels_that_are_meant_change(exploration, back, strength, moves):
    what_if = WhatIf(frozenset(back), strength).moved(exploration, 1, moves[0], moves[1])
    picture = what_if.picture(exploration)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert torch.equal((picture * 255).round() / 255, picture)
    places = what_if.places(exploration)
    meant = {place for index, place in enumerate(places) if index not in back}
    changed = {tuple(place) for place in (picture != exploration.image).any(0).nonzero().tolist()}
    assert changed <= meant
    assert all(0 <= row < 64 and 0 <= col < 64 for row, col in places)


def test_pixels_go_back_and_forth(exploration):
    what_if = WhatIf().toggled([0, 1]).toggled([1, 2])
    assert what_if.back == {0, 2}
    assert WhatIf().moved(exploration, 3, 1, 0).moved(exploration, 3, -1, 0) == WhatIf()
    at_the_border = WhatIf().moved(exploration, 3, 0, -99)
    assert at_the_border.places(exploration)[3][1] == 0
    assert at_the_border.moved(exploration, 3, 0, 2).places(exploration)[3][1] == 2
    row, col = (getattr(exploration.evidence.pixels[0], name) for name in ("row", "col"))
    down, right = (1 if row < 63 else -1), (1 if col < 63 else -1)
    moved = WhatIf().moved(exploration, 0, down, right).picture(exploration)
    assert torch.equal(moved[:, row + down, col + right], exploration.adversarial[:, row, col]) or (
        (row + down, col + right) in WhatIf().places(exploration)
    )


def test_smallest_sets_do_what_they_say(clf, exploration):
    everything = frozenset(range(len(exploration.evidence.pixels)))
    kept, repair = (smallest(clf, exploration, repair) for repair in (False, True))
    assert try_out(clf, exploration, WhatIf(everything - frozenset(kept.pixels))).margin < 0
    assert try_out(clf, exploration, WhatIf(frozenset(repair.pixels))).margin > 0
    assert 0 < len(repair.pixels) <= len(everything)


def test_the_search_for_a_smallest_set_tells_of_itself_and_can_be_ended(clf, exploration):
    seen = []
    smallest(clf, exploration, repair=False, on_pictures=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 1

    def stop(_n: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        smallest(clf, exploration, repair=True, on_pictures=stop)


def test_with_a_target_only_that_class_counts_as_fooled(clf):
    sign = find_sample("stop-1")
    target = explore(clf, sign.image, SparseAttack(steps=25), splits=0).top(3)[-1]
    targeted = explore(clf, sign.image, SparseAttack(steps=60), target=target, splits=0)
    assert targeted.succeeded
    assert try_out(clf, targeted, WhatIf()).margin < 0
    kept = smallest(clf, targeted, repair=False)
    without = frozenset(range(len(targeted.evidence.pixels))) - frozenset(kept.pixels)
    assert try_out(clf, targeted, WhatIf(without)).label == target
    repair = smallest(clf, targeted, repair=True)
    outcome = try_out(clf, targeted, WhatIf(frozenset(repair.pixels)))
    assert outcome.label != target
    assert outcome.margin > 0


def test_values_that_no_strength_moves_are_counted(exploration):
    image, adversarial = torch.full((3, 1, 2), 0.4), torch.full((3, 1, 2), 0.4)
    adversarial[:, 0, 0] = torch.tensor([0.0, 1.0, 0.6])
    assert at_the_end(replace(exploration, image=image, adversarial=adversarial)) == (2, 3)


@pytest.mark.parametrize("strength", [-0.1, 1.6, float("nan")])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match=r"strength must lie in \[0, 1.5\]"):
        WhatIf(strength=strength)
