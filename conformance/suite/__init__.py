"""The conformance suite for pytest: `pytest --pyargs conformance.suite --relay-url URL --relay-model NAME`."""
