"""What real clients make of a recorded run: each reads the replayed answers in a process of its own."""
