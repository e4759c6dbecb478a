"""A client for tests: what it does is the name of the case."""

import os
import socket
import sys
import time

import httpx

from conformance.clients.readings import Content
from conformance.clients.using import Unusable

VERSION = "1.0"


class ApiError(Exception):
    """The client's own error."""

    status_code = 404


API_ERRORS = (ApiError,)


def read(job):
    name = job.case.partition("/")[2]
    if name == "hangs":
        time.sleep(60)
    if name == "dies":
        os._exit(3)
    if name == "far":
        socket.create_connection(("192.0.2.1", 80), timeout=2)
    if name == "refused":
        raise ApiError("no\nsuch model")
    if name == "raises":
        raise Unusable("no choices")
    if name == "whole":
        return _whole(httpx.get(job.base_url + "/anything").json())
    sys.stdout.write("noise on stdout\n")
    sys.stdout.flush()
    text = httpx.get(job.base_url + "/anything").text
    return Content(texts=(text,), items=(os.environ.get("OPENAI_API_KEY", "no key"),))


def _whole(answer):
    """All that a chat completion says."""
    choice, usage = answer["choices"][0], answer["usage"]
    counts = (usage["prompt_tokens"], usage["completion_tokens"])
    return Content(texts=(choice["message"]["content"],), finishes=(choice["finish_reason"],), usage=counts)
