"""The code of a room: short enough to call out, hard to guess, and without letters that look alike."""

import secrets

ALPHABET = "ABCDEFGHJKMNPQRTUVWXYZ2346789"  # without 0 and O, 1, I and L, 5 and S
LENGTH = 6  # 29 ** 6 is about 600 million


def draw_code() -> str:
    """A new code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_code(text: str) -> str:
    """What somebody typed, as a code: case, spaces and hyphens do not matter. "" if it cannot be one."""
    code = "".join(letter for letter in text[:40].upper() if letter not in " -\u00a0")
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else ""


def spelled(code: str) -> str:
    """The code in two halves, as it is read aloud."""
    return f"{code[:3]} {code[3:]}"
