"""views.*: modals and the App Home. https://docs.slack.dev/reference/views"""

import json

from playground import modals
from playground.errors import Refused
from playground.methods import Call, method
from playground.people import APP, BOT, TEAM, Json
from playground.world import View, World

BYTES_OF_A_VIEW = 250_000


@method("views.open", scope=None, required="view", optional="trigger_id interactivity_pointer", takes_json=True)
def open_view(call: Call) -> Json:
    wished = _wished(call, "modal")
    person = call.world.exchange(call.text("trigger_id") or call.text("interactivity_pointer"))
    _claim_external_id(call.world, wished)
    view = View(person, _complete(call.world, wished, view_id=call.world.name("V")))
    call.world.views[view.body["id"]] = view
    call.world.changes.tell()
    return {"view": view.body}


@method("views.update", scope=None, required="view", optional="view_id external_id hash", takes_json=True)
def update_view(call: Call) -> Json:
    wished = _wished(call, "modal")
    view = _find(call)
    if call.text("hash") not in ("", view.body["hash"]):
        raise Refused("hash_conflict")
    replace(call.world, view, wished)
    return {"view": view.body}


@method("views.publish", scope=None, required="user_id view", optional="hash", takes_json=True)
def publish(call: Call) -> Json:
    if not call.world.grant.home:
        raise Refused("not_enabled")
    wished = _wished(call, "home")
    person = call.world.person(call.text("user_id"))
    known = call.world.homes.get(person.id)
    if known and call.text("hash") not in ("", known.body["hash"]):
        raise Refused("hash_conflict")
    view_id = known.body["id"] if known else call.world.name("V")
    call.world.homes[person.id] = View(person.id, _complete(call.world, wished, view_id=view_id))
    call.world.changes.tell()
    return {"view": call.world.homes[person.id].body}


def replace(world: World, view: View, wished: Json) -> None:
    """Show something else in the same modal."""
    view.body = _complete(world, wished, view_id=view.body["id"])
    world.changes.tell()


def _wished(call: Call, kind: str) -> Json:
    wished = call.structure("view", otherwise="invalid_arguments")
    modals.check(wished, kind)
    if len(json.dumps(wished).encode()) > BYTES_OF_A_VIEW:
        raise Refused("view_too_large")
    return wished


def _claim_external_id(world: World, wished: Json) -> None:
    external_id = wished.get("external_id")
    if external_id and any(view.body["external_id"] == external_id for view in world.views.values()):
        raise Refused("duplicate_external_id")


def _find(call: Call) -> View:
    views, external_id = call.world.views, call.text("external_id")
    if view := views.get(call.text("view_id")):
        return view
    for view in views.values():
        if external_id and view.body["external_id"] == external_id:
            return view
    raise Refused("not_found")


def _complete(world: World, wished: Json, *, view_id: str) -> Json:
    """The view object as Slack gives it back."""
    return {
        "id": view_id,
        "team_id": TEAM,
        "type": wished["type"],
        "blocks": modals.named(wished["blocks"]),
        "private_metadata": wished.get("private_metadata", ""),
        "callback_id": wished.get("callback_id", ""),
        "state": {"values": {}},
        "hash": f"{world.clock.stamp()}.{world.name('h')[-5:]}",
        "title": wished.get("title"),
        "clear_on_close": wished.get("clear_on_close", False),
        "notify_on_close": wished.get("notify_on_close", False),
        "close": wished.get("close"),
        "submit": wished.get("submit"),
        "previous_view_id": None,
        "root_view_id": view_id,
        "app_id": APP,
        "external_id": wished.get("external_id", ""),
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }
