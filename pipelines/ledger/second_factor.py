"""The second factor: six digits that change every 30 seconds (TOTP, RFC 6238), from an app on a telephone.

The secret is kept encrypted with the ledger's key. When a code is asked for is in `sign_in`.
"""

from __future__ import annotations

import base64
import hmac
import io
import os
from datetime import datetime

from pipelines.findings import Wording
from pipelines.ledger.engine import LedgerUnusable
from pipelines.ledger.keys import KeyRing

STEP_SECONDS = 30
_ISSUER = "服务贸易统计监测"
_PURPOSE = "second factor"
_NONCE_BYTES = 12
# A telephone's clock may be half a minute off, to either side.
_STEPS_AROUND = 1


def new_secret() -> str:
    """A secret of 160 bits, in base32 as apps take it."""
    return base64.b32encode(os.urandom(20)).decode()


def seal(secret: str, account_id: int, ring: KeyRing) -> str:
    """The secret as it is kept: encrypted, and of use for this account only."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(ring)).encrypt(nonce, secret.encode(), _context(account_id))
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, account_id: int, ring: KeyRing) -> str:
    """The secret. Raises LedgerUnusable when it was sealed with another key or for another account."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    content = base64.b64decode(sealed)
    try:
        return (
            AESGCM(_key(ring))
            .decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], _context(account_id))
            .decode()
        )
    except InvalidTag as error:
        raise LedgerUnusable(
            Wording(
                "二次验证的密钥解不开：数据文件夹中的 secrets/ledger.key 不是原来那把。",
                "A second factor cannot be decrypted: secrets/ledger.key is not the key it was made with.",
            ),
            Wording(
                "请从备份恢复该文件，或由安全管理员重置该账号的二次验证。",
                "Restore that file from a backup, or have the security administrator reset the second factor.",
            ),
        ) from error


def _key(ring: KeyRing) -> bytes:
    key = ring.key_for(_PURPOSE)
    if key is None:
        raise LedgerUnusable(
            Wording(
                "账本没有密钥文件，不能保存二次验证的密钥。",
                "The ledger has no key file, so no second factor can be kept.",
            ),
            Wording(
                "请用 SERVTRADE_DATA 指定数据文件夹后重新启动。",
                "Set SERVTRADE_DATA to the data folder and start again.",
            ),
        )
    return key


def _context(account_id: int) -> bytes:
    return f"account {account_id}".encode()


def step_of(secret: str, code: str, now: datetime, *, after_step: int) -> int | None:
    """The 30-second step that this code belongs to, or None.

    Steps up to `after_step` do not count: a code that was used is not used again, also by who looked on.
    """
    import pyotp

    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return None
    generator = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - _STEPS_AROUND, present + _STEPS_AROUND + 1):
        if hmac.compare_digest(generator.generate_otp(step), digits) and step > after_step:
            found = step
    return found


def enrolment_address(secret: str, login: str) -> str:
    """The otpauth:// address that apps read from the picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


def picture(address: str) -> str:
    """The address as a QR code, as an SVG document of its own, black on white."""
    import segno

    stream = io.BytesIO()
    segno.make(address, error="m").save(stream, kind="svg", scale=5, border=4, light="#fff", xmldecl=False)
    return stream.getvalue().decode()
