"""What a generated request is about, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.generate.covering import Row

_FEW = 2


def said(row: Row, special: tuple[str, str], plain: tuple[str, str] = ("a question", "提问")) -> tuple[str, str]:
    """What a good request is about, in English and Chinese.

    `special`: what is special about its text, in both; `plain`: what is sent where there are no optional fields.
    """
    if len(row) > _FEW:
        fields, fields_zh = f"{', '.join(row)} together", f"同时发送 {'、'.join(row)}"
    else:
        fields = " and ".join(f"{name} {choice.words}" for name, choice in row.items()) or plain[0]
        fields_zh = "发送" + (" 与 ".join(f" {name} ({choice.zh})" for name, choice in row.items()) or plain[1])
    return f"Send {fields}{special[0] and '; '}{special[0]}", f"{fields_zh}{special[1] and ';'}{special[1]}"
