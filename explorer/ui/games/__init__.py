"""Two games for those who have had the lesson, or want to begin with a game."""
