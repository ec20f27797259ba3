"""The room as its members and its teacher see it."""
