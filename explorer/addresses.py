"""Where other devices of the local network find this computer, found without sending a packet."""

import io
import ipaddress
import socket

import segno

# One in each private network, and one elsewhere: for a datagram's socket, to connect is to look at the table of routes.
_PLACES = ("192.168.254.254", "10.254.254.254", "172.31.254.254", "198.51.100.1")


def lan_addresses() -> list[str]:
    """The computer's addresses in the networks that it is in, the likeliest first; none where it is in no network."""
    found = []
    for place in _PLACES:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((place, 1))
                found.append(probe.getsockname()[0])
        except OSError:  # no route leads there
            continue
    usable = [each for each in dict.fromkeys(found or _by_name()) if not only_here(each)]
    return sorted(usable, key=lambda each: not ipaddress.ip_address(each).is_private)


def _by_name() -> list[str]:
    """What this computer's own name stands for. Only asked where no route leads out, as in a room without internet: it
    might ask the network.
    """
    try:
        return [each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    except OSError:
        return []


def only_here(host: str) -> bool:
    """Whether this name or address reaches nothing but the computer that uses it."""
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def qr_code(url: str, encoding: str | None) -> str:
    """The address as a picture of blocks; "" where a console of this encoding has no such letters."""
    drawn = io.StringIO()
    segno.make(url, micro=False).terminal(drawn, border=2, compact=True)
    try:
        drawn.getvalue().encode(encoding or "ascii")
    except UnicodeEncodeError:
        return ""
    return drawn.getvalue().rstrip("\n")
