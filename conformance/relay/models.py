"""The list of models, and one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal, Stage
from conformance.relay.giving import give_json

if TYPE_CHECKING:
    from conformance.relay.call import Call


def give_list(call: Call) -> None:
    """Every model."""
    call.answer = {"object": "list", "data": [dict(model) for model in call.state.models.values()]}
    give_json(call, Stage.MODELS)


def give_one(call: Call) -> None:
    """The model that the path names."""
    name = call.named
    if name not in call.state.models:
        message = f"The model '{name[:100]}' does not exist"
        raise Refusal(404, message, param="model", code="model_not_found")
    call.answer = dict(call.state.models[name])
    give_json(call, Stage.MODEL)
