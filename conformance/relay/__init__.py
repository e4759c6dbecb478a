"""A correct relay to test against, its catalogue of faults, and honest quirks."""

from conformance.relay.app import DEFAULT_KEY, DEFAULT_MODEL, MODELS, create_app
from conformance.relay.faults import Fault, catalogue
from conformance.relay.quirks import Quirks
from conformance.relay.server import BackgroundRelay, serve

__all__ = [
    "DEFAULT_KEY",
    "DEFAULT_MODEL",
    "MODELS",
    "BackgroundRelay",
    "Fault",
    "Quirks",
    "catalogue",
    "create_app",
    "serve",
]
