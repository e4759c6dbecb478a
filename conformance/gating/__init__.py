"""The gate: what a run shows that an earlier one did not. One baseline, one run, each over one or more rounds."""
