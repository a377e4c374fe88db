"""Rules and judgement: what is asked of returns and tables, and what is said when they fall short.

Rules are data (`expectations/`), facts are SQL (`sql/checks/`); here is only what reads the one, judges the
other and words the answer. Nothing here reads workbooks, computes indicators or stores a verdict.
"""
