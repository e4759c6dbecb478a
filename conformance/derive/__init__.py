"""A provider's own page to schemas, a profile and a list of the page's mistakes.

Text -> `Document` (what the page says) -> repaired schemas and `Defect`s -> files. Pages are hostile input: every
reader here ends, is bounded, and raises nothing but `DeriveError`.
"""
