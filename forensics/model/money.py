"""Amounts of money as logs write them: exact decimals, twelve places, never a float."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

_PLACES = Decimal(1).scaleb(-12)
_LIMIT = Decimal(10) ** 16  # DECIMAL(28,12) holds 16 digits before the point
_CONTEXT = Context(prec=60)


def read_money(value: object, *, minor_digits: int = 0) -> Decimal | None:
    """Return an amount in units of its currency, with 12 places (half to even), else None.

    `value` is a JSON number or text; `minor_digits` is 2 where it counts cents. None for what is no number,
    not finite, or too large for DECIMAL(28,12).
    """
    if value is None or isinstance(value, bool | dict | list):
        return None
    try:
        number = _CONTEXT.create_decimal(str(value).strip())
        if not number.is_finite():
            return None
        amount = number.scaleb(-minor_digits, context=_CONTEXT)
        return None if abs(amount) >= _LIMIT else amount.quantize(_PLACES, context=_CONTEXT)
    except (InvalidOperation, ValueError):  # ValueError: an integer of more digits than Python prints
        return None


def money_text(amount: Decimal | None, currency: str | None = None) -> str:
    """Return an amount to its last digit, without zeros behind it, after its currency; "none" where there is none."""
    if amount is None:
        return "none"
    text = f"{amount:f}"
    digits = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{currency} {digits}" if currency else digits
