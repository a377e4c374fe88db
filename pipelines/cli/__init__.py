"""The command line `servtrade`: words and exit codes for what the other packages do.

No statistics and no rules here. Everything heavy is imported inside the command that needs it, so that
`servtrade --help` answers at once.
"""
