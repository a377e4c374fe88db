"""Blank forms: the month's workbook of one enterprise, made from the same layouts by which it will be read.

`Stationery` draws a prepared workbook of a month once and fills in one enterprise after the other. What the rules
ask is handed in as plain data (`pipelines.form_limits`); which enterprise gets what is decided in
`reception.blank_forms`.
"""

from pipelines.intake.template.orders import Carried, InvalidTemplate, Order, RowValues
from pipelines.intake.template.stationery import Stationery, due_forms
from pipelines.intake.template.words import Guidance, guidance_of

__all__ = [
    "Carried",
    "Guidance",
    "InvalidTemplate",
    "Order",
    "RowValues",
    "Stationery",
    "due_forms",
    "guidance_of",
]
