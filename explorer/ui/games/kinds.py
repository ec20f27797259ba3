"""Obscuring or leading? Ten rounds; the network is the judge."""

import random

import streamlit as st

from explorer.classifiers import Classifier
from explorer.pipeline import Exploration, Riddle, WhatIf, riddles, try_out
from explorer.ui.caches import classifier
from explorer.ui.lesson.desk import ORDINARY, SIGNS, seen_in, title_of
from explorer.ui.lesson.explored import explored
from explorer.ui.lesson.riddle import KINDS, ask_kind, reveal_kind
from explorer.ui.lesson.sitting import Quiz, Sitting
from explorer.ui.markdown import plain

ROUNDS = 10
GUESSES = {"obscuring": "● Obscuring", "leading": "◆ Leading"}


def play_kinds(me: Sitting) -> None:
    """The round that is played now; after the last one the score."""
    quiz = me.quiz
    score(quiz)
    if len(quiz.rights) == ROUNDS and not quiz.guess:
        over(me)
        return
    clf = classifier(ORDINARY)
    sign, exploration, riddle = riddle_of(clf, quiz, len(quiz.rights) - bool(quiz.guess))
    if exploration is None or riddle is None:
        return
    left, right = st.columns([6, 5], gap="large")
    with left:
        ask_kind(exploration, riddle, f"game-board-{sign}-{riddle.pixel}")
    with right:
        st.markdown(f"##### {title_of(sign)}: which kind is the pixel in the ring?")
        st.markdown(KINDS)
        if quiz.guess:
            reveal(clf, quiz, exploration, riddle)
        else:
            with st.container(horizontal=True):
                for kind, title in GUESSES.items():
                    st.button(title, key=f"guess-{kind}", on_click=_guess, args=[quiz, kind, riddle])


def riddle_of(clf: Classifier, quiz: Quiz, number: int) -> tuple[str, Exploration | None, Riddle | None]:
    """The sign and the pixel of this round, from 0; signs without a clear pixel are passed over. None: not now."""
    draw = random.Random(quiz.seed)
    order, left = draw.sample(SIGNS, len(SIGNS)), number
    for sign in order * 2:
        exploration = explored(clf, sign)
        if exploration is None:
            return sign, None, None
        asked = riddles(exploration)
        if not asked:
            continue
        riddle = draw.choice(asked)
        if not left:
            return sign, exploration, riddle
        left -= 1
    st.info("The attack left no pixel that is clear enough to ask about.")
    return "", None, None


def score(quiz: Quiz) -> None:
    """How many are right, and how many in a row."""
    played = len(quiz.rights)
    numbers = {
        "Round": f"{min(ROUNDS, played + (not quiz.guess))} of {ROUNDS}",
        "Score": f"{sum(quiz.rights)} of {played}",
        "In a row": quiz.streak,
    }
    with st.container(horizontal=True, key="score"):
        for name, value in numbers.items():
            st.markdown(f"{name} **{value}**", width="content")


def reveal(clf: Classifier, quiz: Quiz, exploration: Exploration, riddle: Riddle) -> None:
    """Put it back, and see what the network says."""
    right = quiz.rights[-1]
    (st.success if right else st.warning)(
        f"**{'Right' if right else 'Not this time'}.** {reveal_kind(exploration, riddle)}"
    )
    outcome = try_out(clf, exploration, WhatIf(frozenset({riddle.pixel})))
    st.markdown(
        f"With this one pixel put back the network sees: **{plain(seen_in(outcome, exploration.class_names))}**."
    )
    last = len(quiz.rights) == ROUNDS
    st.button("See the score" if last else "Next round", key="next-round", type="primary", on_click=_next, args=[quiz])


def over(me: Sitting) -> None:
    """The game is over."""
    right = sum(me.quiz.rights)
    word = (
        "Hardly a pixel fools you." if right >= 8 else "Better than guessing." if right > 5 else "About like guessing."
    )
    st.success(f"**{right} of {ROUNDS} right.** {word} Who flips a coin gets 5 on average.")
    st.button("Play again", key="play-again", type="primary", on_click=_again, args=[me])


def _guess(quiz: Quiz, kind: str, riddle: Riddle) -> None:
    quiz.guess = kind
    quiz.rights.append(kind == riddle.kind)


def _next(quiz: Quiz) -> None:
    quiz.guess = ""


def _again(me: Sitting) -> None:
    me.quiz = Quiz()
