"""The warehouse: one DuckDB file, the SQL that fills it, and the way in for ledger, lines and reference tables.

A cache: everything in it can be computed again from the stores. Nothing here judges or prints a figure.
"""
