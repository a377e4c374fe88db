"""The portal: what reporters, clerks, reviewers and administrators see in the browser.

Pages, their wording and their routes. It asks the ledger and the one door; it never opens the warehouse, and no
rule of who may do what to a return is decided here that the ledger does not hold to by itself.
"""
