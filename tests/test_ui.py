"""What the page says and sets, without the page: slider stops, plain words, one store of answers."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.types import Checks, Evidence, PixelLabel
from explorer.ui.caches import Answers, Question
from explorer.ui.controls import logarithmic_stops
from explorer.ui.words import check_sentences


@given(st.floats(1e-5, 1), st.floats(1.5, 1e4), st.floats(0.01, 0.99))
def test_logarithmic_stops_rise_evenly_and_hold_what_must_be_set(low, ratio, share):
    high = low * ratio
    default = low * ratio**share
    stops = logarithmic_stops(low, high, {default})
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (low, high)
    assert default in stops
    assert max(b / a for a, b in itertools.pairwise(stops)) < 1.6


def evidence(**checks: float) -> Evidence:
    pixel = PixelLabel(1, 2, (0, 0, 0), (9, 9, 9), 1.0, 0.5, "obscuring", False, 1.0, 0.4, "obscuring")
    other = PixelLabel(3, 4, (0, 0, 0), (9, 9, 9), 0.2, 0.9, "leading", False, 0.8, 0.4, "obscuring")
    good = {"completeness_error": 0.01, "agreement": 0.5, "kappa": 0.2, "rank_correlation": 0.9, "additivity": 0.1}
    good |= {"dissociation": 0.8, "dissociation_p": 0.02}
    return Evidence((pixel, other), Checks(**{**good, **checks}), "integrated_gradients", 0, 1)


def test_each_check_is_one_sentence_with_its_number():
    completeness, agreement, ranks, groups, additivity = check_sentences(evidence())
    assert "within 1.0 %" in completeness
    assert "confirms 1 of 2 labels" in agreement
    assert "take care" in agreement
    assert "0.90" in ranks
    assert "D = 0.80" in groups
    assert "in 2 % of the cases" in groups
    assert "one by one" in additivity


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_check_without_a_value_says_why_and_shows_none(value):
    sentences = check_sentences(
        evidence(completeness_error=value, additivity=value, kappa=math.nan, dissociation=math.nan)
    )
    assert not any(word in sentence for sentence in sentences for word in ("nan", "inf "))
    assert sentences[0].startswith(":gray-badge[undefined]")
    assert sentences[4].startswith(":gray-badge[undefined]")


def test_a_bad_value_is_called_one():
    assert any("below zero" in sentence for sentence in check_sentences(evidence(dissociation=-0.3)))
    for check in ("completeness_error", "additivity"):
        assert any("take care" in sentence for sentence in check_sentences(evidence(**{check: 0.6})))


@dataclass(frozen=True)
class Settings:
    strength: float


def question(picture: str = "a", strength: float = 1.0, stage: str | None = None) -> Question:
    return Question(picture, "network", Settings(strength), None, "method", stage, image=torch.zeros(3, 1, 1))


def test_answers_are_found_by_what_was_asked_and_the_oldest_is_forgotten():
    answers = Answers(limit=2)
    answers.keep(question("a"), "first")
    answers.keep(question("b"), "second")
    assert answers.find(question("a")) == "first"  # now the newest
    answers.keep(question("c"), "third")
    assert [answers.find(question(picture)) for picture in "abc"] == ["first", None, "third"]


def test_an_attack_is_found_however_it_was_explained():
    answers = Answers()
    answers.keep(question(stage="optimised"), "told")
    assert answers.find(question()) is None
    assert answers.find_attack(question()) == "told"
    assert answers.find_attack(question(strength=2.0)) is None
