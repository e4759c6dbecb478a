"""Several recorded runs side by side: what they have in common, where they differ, and whose fault that is."""
