"""What every test may use."""

import signal

pytest_plugins = ["pytester"]

# A shell that starts the tests in the background ignores Ctrl-C for them; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)
