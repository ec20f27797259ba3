"""Riddles: only clear ones, and the network is the judge."""

import pytest

from explorer import SparseAttack, load_classifier
from explorer.pipeline import WhatIf, explore, fewest_back, look_at, riddles, try_out
from explorer.pipeline.quiz import CLEAR
from explorer.samples import find_sample


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-cnn", device="cpu")


@pytest.fixture(scope="module")
def exploration(clf):
    return explore(clf, find_sample("stop-1").image, SparseAttack(steps=25), splits=0)


def test_riddles_are_clear_and_judged_by_putting_back(clf, exploration):
    asked = riddles(exploration)
    assert asked
    everything = try_out(clf, exploration, WhatIf()).probabilities.log()
    for riddle in asked:
        assert not exploration.evidence.pixels[riddle.pixel].weak
        back = try_out(clf, exploration, WhatIf(frozenset({riddle.pixel}))).probabilities.log()
        change = (back - everything) - (back - everything).mean()  # logits, compared with their mean
        assert float(change[exploration.label]) == pytest.approx(riddle.returned, abs=0.01)
        assert float(-change[exploration.adversarial_label]) == pytest.approx(riddle.taken, abs=0.01)
        effects = sorted((riddle.returned, riddle.taken))
        assert effects[1] >= CLEAR * effects[0]
        assert riddle.kind == ("obscuring" if riddle.returned > riddle.taken else "leading")


def test_the_fewest_to_put_back_do_it(clf, exploration):
    n = exploration.n_pixels
    few, many = fewest_back(clf, exploration, 0.5), fewest_back(clf, exploration, 0.95)
    assert 1 <= few <= many <= n
    assert fewest_back(clf, exploration, 1.1) == n  # cannot be reached


def test_looking_at_a_picture_is_what_trying_out_does(clf, exploration):
    outcome, tried = look_at(clf, exploration.image, exploration.label), try_out(clf, exploration, WhatIf(strength=0))
    assert outcome.label == tried.label == exploration.label
    assert outcome.margin == pytest.approx(tried.margin)
