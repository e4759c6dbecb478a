"""Reads the body of a request: a JSON object, or the fields of a form."""

from __future__ import annotations

import json
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, NoReturn

from conformance.relay.call import Refusal, Upload

if TYPE_CHECKING:
    from email.message import MIMEPart

    from conformance.relay.call import Call

_FORM = "multipart/form-data"


def read_request(call: Call) -> None:
    """Read the body as a JSON object."""
    try:
        request = json.loads(call.raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request."
        raise Refusal(400, message, code="invalid_json") from None
    if not isinstance(request, dict):
        raise Refusal(400, "The body of your request is not a JSON object.", code="invalid_json")
    call.request = request


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def read_form(call: Call) -> None:
    """Read the body as a form; files become `Upload`s."""
    kind = call.headers.get(b"content-type", b"")
    if not kind.decode("latin-1").lower().startswith(_FORM):
        raise Refusal(400, f"The body of your request has to be {_FORM}.", code="invalid_content_type")
    parsed = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + call.raw)
    if not parsed.is_multipart():
        raise Refusal(400, "We could not read the form of your request.", code="invalid_form")
    for part in parsed.iter_parts():
        _take(call, part)


def _take(call: Call, part: MIMEPart) -> None:
    """Keep one part of a form."""
    name = part.get_param("name", header="content-disposition")
    data = part.get_payload(decode=True)
    content = data if isinstance(data, bytes) else b""
    filename = part.get_filename()
    value = (
        content.decode("utf-8", "replace") if filename is None else Upload(filename, part.get_content_type(), content)
    )
    call.form.setdefault(str(name), []).append(value)
