"""The demo chat, in development mode only: a page to log in to as anybody, and people to write to.

people.py   who there is
pages.py    the page and what it is made of; tokens for whoever one says one is

What is served is built from clients/web and lies in gateway/web.
"""

from .pages import add_demo
from .people import DemoPeople

__all__ = ["DemoPeople", "add_demo"]
