"""The official tables: one model of the printed table, and every form in which it leaves the house.

What a figure is worth is decided before (`sql/indicators`); how it is rounded and worded, in `sql/publication`.
Here the rows become tables, the tables become a workbook, and the workbook becomes a month's draft.
"""
