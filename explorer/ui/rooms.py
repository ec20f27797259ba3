"""The one store of rooms of this server."""

from explorer.rooms import Rooms
from explorer.samples import gallery
from explorer.ui.stores import server_wide


@server_wide
def rooms() -> Rooms:
    """All visitors share it; it is gone when the server ends."""
    return Rooms({sample.name for sample in gallery()})
