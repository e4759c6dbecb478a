"""Tests of the reference relay."""
