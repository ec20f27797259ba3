"""Where a class finds this computer: its address in the network that it is in, found without sending a packet."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_ELSEWHERE = "192.0.2.1"  # an address for documentation (RFC 5737): a datagram's socket is only told of it
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
    if at.hostname and not _only_here(at.hostname):
        return Place(f"{at.scheme}://{at.netloc}", True)
    if listens and listens not in EVERYWHERE:
        return Place(f"http://{_bracketed(listens)}:{port}", not _only_here(listens))
    host = lan_address()
    return Place(f"http://{_bracketed(host or 'localhost')}:{port}", host is not None)


def lan_address() -> str | None:
    """The computer's address in its network; None where it is in none. Connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
            found = probe.getsockname()[0]
        except OSError:
            found = ""
    if not found or _only_here(found):
        found = _by_name()
    return found or None


def _by_name() -> str:
    """Where there is no route to elsewhere, as in a room with no internet: by this computer's own name."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return ""
    return next((each[4][0] for each in found if not _only_here(each[4][0])), "")


def _only_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
