"""Files from elsewhere: one at a time, watched, stoppable, and only if they are what they should be."""

import hashlib
import os
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

CONNECT = 4.0  # seconds until a server must have answered, name look-up included
CHUNK = 1 << 16  # bytes

OnBytes = Callable[[int, int], object]  # bytes so far, bytes in all (0: unknown)


class FetchFailed(Exception):
    """The file is not there; the message says why in one sentence."""


def fetch(url: str, path: Path, digest: str, on_bytes: OnBytes, stopped: Callable[[], bool]) -> bool:
    """Bring the file at `url` to `path`, whose folder is made; whether it was finished before `stopped` said so.

    `digest` is its MD5, or "sha256:" and at least the first digits of that. It appears at `path` whole or not at all.
    Raises FetchFailed if there is no connection, no room, or another file.
    """
    try:
        answer = _open(url)
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(f"{path.name} cannot be downloaded: there is no connection to its server.") from error
    kind, _, digits = digest.rpartition(":")
    part, found = None, hashlib.new(kind or "md5", usedforsecurity=False)
    try:
        with answer:
            total = int(answer.headers.get("Content-Length") or 0)
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
            part, done = Path(name), 0
            with os.fdopen(handle, "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    found.update(chunk)
                    done += len(chunk)
                    on_bytes(done, total)
                    if stopped():
                        return False
        if not found.hexdigest().startswith(digits):
            raise FetchFailed(
                f"{path.name} came damaged, or is another file: its {found.name.upper()} is not {digits}."
            )
        part.replace(path)
        return True
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(f"{path.name} could not be downloaded to {path.parent}: {error}.") from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _open(url: str) -> Any:
    """The server's answer. Raises OSError after CONNECT seconds; a name look-up knows no time limit of its own."""
    came: list[Any] = []
    given_up = threading.Event()

    def ask() -> None:
        try:
            answer = urllib.request.urlopen(url, timeout=CONNECT)
        except HTTPError as error:
            error.close()
            came.append(error)
            return
        except Exception as error:  # it belongs to the one who asked
            came.append(error)
            return
        came.append(answer)
        if given_up.is_set():
            answer.close()

    asking = threading.Thread(target=ask, name="fetch", daemon=True)
    asking.start()
    asking.join(CONNECT)
    if not came:
        given_up.set()
        raise TimeoutError("no answer")
    if isinstance(came[0], Exception):
        raise came[0]
    return came[0]
