"""A running module over HTTP: health, what it does, control, and a page that shows every source live."""

from picasso.web.listener import Listener
from picasso.web.live import Live, Picture
from picasso.web.operations import LiveSource, Operated
from picasso.web.server import WebServer

__all__ = ["Listener", "Live", "LiveSource", "Operated", "Picture", "WebServer"]
