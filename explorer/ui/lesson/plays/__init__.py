"""What can be played with in each step: draws it, and returns what its check judges; None while there is nothing."""

from explorer.ui.lesson.plays.defend import play_defend
from explorer.ui.lesson.plays.find import play_find
from explorer.ui.lesson.plays.fool import play_fool
from explorer.ui.lesson.plays.predict import play_predict
from explorer.ui.lesson.plays.repair import play_repair
from explorer.ui.lesson.plays.robust import play_robust
from explorer.ui.lesson.plays.truth import play_truth

__all__ = ["play_defend", "play_find", "play_fool", "play_predict", "play_repair", "play_robust", "play_truth"]
