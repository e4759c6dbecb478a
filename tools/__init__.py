"""What the project's own targets run: tables for the documentation."""
