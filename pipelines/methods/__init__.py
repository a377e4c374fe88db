"""Statistical methods as pure functions: numbers in, numbers and a marker out, the formula's source beside each.

Nothing here reads a store, knows a form or changes a figure: what a method suggests is shown to a person. Methods
that run on whole tables are SQL (`sql/`); where both exist a test holds them to the same answer.
"""
