"""The codes that the register takes: of an enterprise, a district, an industry.

One check for what is recorded at the desk, in the portal or on the command line, and for register files.
"""

from __future__ import annotations

from stdnum.cn import uscc

from pipelines.codes import district_code_of, industry_code_of
from pipelines.findings import Wording
from pipelines.ledger.shapes import CannotChangeRegister

# GB 32100-2015: no I, O, S, V, Z. python-stdnum wants digits in the first eight places; the standard allows letters.
_CODE_CHARACTERS = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
_CODE_LENGTH = 18


def credit_code(text: str, field: str = "enterprise_code") -> str:
    """The code in capitals. Raises CannotChangeRegister saying what was expected: characters, length, check character."""
    code = text.strip().upper()
    if len(code) != _CODE_LENGTH or not _CODE_CHARACTERS.issuperset(code):
        raise CannotChangeRegister(
            Wording(
                "不是统一社会信用代码（应为 18 位数字和大写字母，不用 I、O、S、V、Z）。",
                "No unified social credit code (18 digits and capital letters, never I, O, S, V or Z).",
            ),
            field,
        )
    expected = uscc.calc_check_digit(code[:-1])
    if code[-1] != expected:
        raise CannotChangeRegister(
            Wording(
                f"校验码不对：按前 17 位末位应为 {expected}。请核对是否抄错。",
                f"The code fails its check: by the first 17 characters the last should be {expected}. Check the copy.",
            ),
            field,
        )
    return code


def district_code(text: str) -> str:
    """A district's code, also from its name. Raises CannotChangeRegister for one that is not in the list."""
    code = district_code_of(text)
    if code is None:
        raise CannotChangeRegister(
            Wording(
                "不是本市的区或开发区。请填区名（如武昌区）或六位代码（如 420106）。",
                "No district or zone of this city. Give its name or its code (such as 420106).",
            ),
            "district_code",
        )
    return code


def industry_code(text: str) -> str:
    """An industry code; empty where none is given. Raises CannotChangeRegister for one that GB/T 4754 cannot have."""
    if not text.strip():
        return ""
    code = industry_code_of(text)
    if code is None:
        raise CannotChangeRegister(
            Wording(
                "不是《国民经济行业分类》（GB/T 4754）的代码。请填 2 至 4 位数字（如 6513），前面可带门类字母（如 I6513）。",
                "No code of GB/T 4754. Give two to four digits (such as 6513); the letter of its section may stand before "
                "them (I6513).",
            ),
            "industry_code",
        )
    return code
