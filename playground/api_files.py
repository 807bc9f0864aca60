"""files.*: the external upload in its three steps. https://docs.slack.dev/messaging/working-with-files/"""

from playground.errors import Refused
from playground.messages import File, Message
from playground.methods import Call, method
from playground.people import BOT_USER, Json
from playground.world import World

#: Slack keeps no alternative text that is longer: https://docs.slack.dev/reference/methods/files.getUploadURLExternal
LONGEST_ALT_TEXT = 1000


@method("files.getUploadURLExternal", scope="files:write", required="filename length", optional="alt_txt snippet_type")
def upload_url(call: Call) -> Json:
    """A place to send the bytes to, and the id that the file will have."""
    length = call.text("length")
    if not length.isdecimal() or int(length) < 1:
        raise Refused("invalid_arguments")
    if len(call.text("alt_txt")) > LONGEST_ALT_TEXT:
        raise Refused("alt_txt_too_large")
    file = File(call.world.name("F"), call.text("filename"), int(length), call.text("alt_txt"))
    call.world.files[file.id] = file
    return {"upload_url": f"{call.world.address}/upload/v1/{file.id}", "file_id": file.id}


def receive(world: World, file_id: str, content: bytes) -> str:
    """The bytes arrive; raises file_not_found, and invalid_arguments where they are not as many as was said."""
    file = world.files.get(file_id)
    if file is None or file.content is not None:
        raise Refused("file_not_found")
    if len(content) != file.length:
        raise Refused("invalid_arguments")
    file.content = content
    return f"OK - {len(content)}"


@method(
    "files.completeUploadExternal",
    scope="files:write",
    required="files",
    optional="channel_id channels initial_comment thread_ts blocks",
)
def complete(call: Call) -> Json:
    """The files are whole, and stand in the channel or thread that is named."""
    named = call.structure("files", otherwise="invalid_arguments")
    if not isinstance(named, list) or not named:
        raise Refused("invalid_arguments")
    place = _place(call) if call.text("channel_id") else None
    files = [_finished(call.world, one) for one in named]
    if place:
        place.files = [file.as_slack(call.world.address) for file in files]
        call.world.post(place)
    return {"files": [file.as_slack(call.world.address) for file in files]}


def _finished(world: World, named: Json) -> File:
    file = world.files.get(str(named.get("id")))
    if file is None or file.content is None or file.finished:
        raise Refused("file_not_found")
    file.finished, file.title = True, str(named.get("title") or file.name)
    return file


def _place(call: Call) -> Message:
    """The message that shall carry the files."""
    channel = call.channel(joined=True, named="channel_id")
    parent = call.text("thread_ts") or None
    if parent and all(message.ts != parent for message in channel.messages):
        raise Refused("invalid_thread_ts")
    stamp = call.world.clock.stamp()
    return Message(channel.id, stamp, BOT_USER, call.text("initial_comment"), thread_ts=parent)
