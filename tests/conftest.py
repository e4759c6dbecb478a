"""What every test may use."""

import signal

# httpx imports it late, and keeps its exceptions. A pytest session inside a test that is the first to send would unload
# it afterwards; what is imported again are other classes, and httpx would not know its own errors any more.
import httpcore  # noqa: F401

pytest_plugins = ["pytester"]

# A shell that starts the tests in the background ignores Ctrl-C for them; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)
