"""Where the bytes of an upload are sent, and where a person gets them back."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from playground import api_files
from playground.errors import Refused
from playground.world import World


@dataclass(frozen=True, slots=True)
class FileRoom:
    """Slack keeps files on hosts of their own; here they are two addresses."""

    world: World

    def routes(self) -> list[Route]:
        """The two addresses."""
        return [
            Route("/upload/v1/{file}", self.receive, methods=["POST"]),
            Route("/files/{file}/{name}", self.give),
        ]

    async def receive(self, request: Request) -> Response:
        try:
            return PlainTextResponse(api_files.receive(self.world, request.path_params["file"], await request.body()))
        except Refused as refused:
            return PlainTextResponse(refused.error, 400)

    async def give(self, request: Request) -> Response:
        known = self.world.files.get(request.path_params["file"])
        if known is None or not known.finished:
            return PlainTextResponse("file_not_found", 404)
        return Response(known.content, headers={"content-disposition": "inline"}, media_type=known.kind)
