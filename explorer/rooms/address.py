"""The address at which a class joins."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from explorer.addresses import lan_addresses, only_here

EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class Place:
    """The address to join at; `shared` is False where only this computer can open it."""

    url: str
    shared: bool


def joining_at(opened: str, listens: str | None, port: int) -> Place:
    """The app's address for others: the one that the teacher `opened` if others can open it as well, else this
    computer's in its network. `listens` is the address that the server is bound to, None for all.
    """
    at = urlsplit(opened)
    if at.hostname and not only_here(at.hostname):
        return Place(f"{at.scheme}://{at.netloc}", True)
    if listens and listens not in EVERYWHERE:
        return Place(f"http://{_bracketed(listens)}:{port}", not only_here(listens))
    found = lan_addresses()
    return Place(f"http://{_bracketed(found[0] if found else 'localhost')}:{port}", bool(found))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
