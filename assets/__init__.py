"""Dagster's view of the house: every table an asset, every rule a check, every month a partition.

The only folder that imports dagster. No SQL, no reading of workbooks, no rules here: an asset is a name, a
promise and a call into `pipelines`.
"""
