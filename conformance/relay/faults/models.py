"""Faults of the list of models, and of the answer about one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call


@fault("models-doubled", Stage.MODELS, trips={"models.list.ids-unique"}, zh="模型列表有重复的 id")
def _(call: Call) -> None:
    """A model is listed once for each channel that serves it."""
    call.answer["data"].append(dict(call.answer["data"][-1]))


@fault(
    "models-untrimmed",
    Stage.MODELS,
    trips={"models.list.ids-trimmed", "models.retrieve.listed-found"},
    zh="模型 id 带空格",
)
def _(call: Call) -> None:
    """The id of a model has a blank around it, as when a list was split at commas."""
    call.answer["data"][-1]["id"] = f" {call.answer['data'][-1]['id']}"


@fault("models-incomplete", Stage.MODELS, trips={"models.list.names-model"}, zh="列表里没有能用的模型")
def _(call: Call) -> None:
    """A model that answers is not listed."""
    del call.answer["data"][0]


@fault("models-unsteady", Stage.MODELS, trips={"models.list.stable"}, zh="两次列表不一样")
def _(call: Call) -> None:
    """Every second list lacks a model, as behind two nodes of different age."""
    if call.state.count("list") % 2 == 0:
        del call.answer["data"][-1]


@fault("models-made-up-facts", Stage.MODELS, trips={"models.list.real-facts"}, zh="created 和 owned_by 是占位值")
def models_made_up_facts(call: Call) -> None:
    """Every model was created on the same day and is owned by custom, as in one-api."""
    for model in call.answer["data"]:
        model.update(created=1626777600, owned_by="custom")


@models_made_up_facts.also(Stage.MODEL)
def _(call: Call) -> None:
    """Say the same of one model."""
    call.answer.update(created=1626777600, owned_by="custom")


@fault("models-permission", Stage.MODELS, trips={"models.list.extra-fields"}, zh="模型带 permission 等字段")
def models_permission(call: Call) -> None:
    """Models carry permission, root and parent, as in one-api."""
    for model in call.answer["data"]:
        model.update(permission=[], root=model["id"], parent=None)


@models_permission.also(Stage.MODEL)
def _(call: Call) -> None:
    """Say the same of one model."""
    call.answer.update(permission=[], root=call.answer["id"], parent=None)


@fault("models-success", Stage.MODELS, trips={"models.list.extra-fields"}, zh="列表带 success 字段")
def _(call: Call) -> None:
    """The list says that it is a success, as in new-api."""
    call.answer["success"] = True


@fault("models-object-missing", Stage.MODELS, trips={"models.list.compat"}, zh="列表没有 object")
def _(call: Call) -> None:
    """The list does not say that it is one, as with aihubmix."""
    del call.answer["object"]


@fault("models-created-string", Stage.MODELS, trips={"models.list.compat"}, zh="created 是字符串")
def _(call: Call) -> None:
    """The time at which a model was created is a string."""
    call.answer["data"][-1]["created"] = "1723143049"


@fault("models-owner-missing", Stage.MODELS, trips={"models.list.compat"}, zh="没有 owned_by")
def _(call: Call) -> None:
    """A model is not owned by anybody."""
    del call.answer["data"][-1]["owned_by"]


@fault(
    "models-shutdown-number",
    Stage.MODELS,
    trips={"models.list.strict", "models.retrieve.strict"},
    zh="shutdown_date 是数字",
)
def models_shutdown_number(call: Call) -> None:
    """The date on which a model ends is a number."""
    for model in call.answer["data"]:
        model["shutdown_date"] = 0


@models_shutdown_number.also(Stage.MODEL)
def _(call: Call) -> None:
    """Say the same of one model."""
    call.answer["shutdown_date"] = 0


@fault("model-of-another-owner", Stage.MODEL, trips={"models.retrieve.matches-list"}, zh="单个模型与列表不符")
def _(call: Call) -> None:
    """One model is not described as in the list."""
    call.answer["owned_by"] = "somebody else"


@fault(
    "model-object-wrong",
    Stage.MODEL,
    trips={"models.retrieve.compat", "models.retrieve.matches-list"},
    zh="单个模型的 object 不对",
)
def _(call: Call) -> None:
    """One model says that it is a list."""
    call.answer["object"] = "list"


@fault("model-wrapped", Stage.MODEL, trips={"models.retrieve.compat"}, zh="单个模型包在 data 里")
def _(call: Call) -> None:
    """One model comes wrapped in success and data."""
    call.answer = {"success": True, "data": call.answer}


def _is_unknown_model(call: Call) -> bool:
    """Whether a model was looked up that does not exist."""
    return call.path.startswith("/v1/models/") and bool(call.refusal) and call.answer["error"]["param"] == "model"


@fault(
    "unknown-model-in-200",
    Stage.ERROR,
    trips={"models.retrieve.unknown-404", "error.success.no-error"},
    zh="查询不存在的模型返回 200 和错误",
)
def _(call: Call) -> None:
    """A model that does not exist is an error with status 200, as in one-api and new-api."""
    if _is_unknown_model(call):
        call.status = 200


@fault("unknown-model-made-up", Stage.ERROR, trips={"models.retrieve.unknown-404"}, zh="不存在的模型也能查到")
def _(call: Call) -> None:
    """Any model that is asked for exists."""
    if _is_unknown_model(call):
        call.status = 200
        name = call.path.removeprefix("/v1/models/")
        call.answer = {"id": name, "object": "model", "created": 1626777600, "owned_by": "custom"}


@fault("retrieve-custom-404", Stage.MODEL, trips={"models.retrieve.listed-found"}, zh="自定义模型查询不到")
def _(call: Call) -> None:
    """Only the first model can be asked for alone, as custom ones in one-api."""
    if call.named != next(iter(call.state.models)):
        raise Refusal(404, f"The model '{call.named}' does not exist", param="model", code="model_not_found")
