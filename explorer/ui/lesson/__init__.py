"""The lesson: steps as data, what can be played with in each, and what says whether its task is solved."""
