"""The explorer: a map of samples to wander in, what each of them holds, and what was found about them.

Knows datasets and findings; a network only as a function that explains an answer. Nothing leaves this machine.
"""

from linnet.report.look.page import LIMIT, html, write
from linnet.report.look.server import Server
from linnet.report.look.view import Explain, Trait, View, category, number, traits_of

__all__ = ["LIMIT", "Explain", "Server", "Trait", "View", "category", "html", "number", "traits_of", "write"]
