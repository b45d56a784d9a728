"""The scripts of the pages' own elements, served as files that a browser keeps.

They are ES modules without a build step. Streamlit would send an element's script with each message
to the element, and a browser would compile it again in every page. So the element gets a line that
imports its file. The address contains a digest of all files: after an update it is another one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_APP = Path(__file__).parent
FILES = {file.name: file.read_bytes() for file in sorted(_APP.glob("**/assets/*.js"))}
"""The contents by name. The folders beside their pages are one folder for the browser."""

_VERSION = hashlib.sha256(b"\0".join(FILES.values())).hexdigest()[:16]
_FOLDER = f"/scripts/{_VERSION}"
_FOR_A_YEAR = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """The path of the script ``name`` on this server."""
    return f"{_FOLDER}/{name}.js"


def entry(prefix: str) -> str:
    """The script that Streamlit gets for every element: it calls what the element's file exports.

    ``prefix`` stands before the file's name in the name of the element. All elements have the same
    script, so that a page compiles it once.
    """
    return f"""\
const folder = `${{location.origin}}{_FOLDER}/`
export default async component => {{
  const script = await import(`${{folder}}${{component.name.slice({len(prefix)})}}.js`)
  return script.default(component)
}}
"""


async def _send(request: Request) -> Response:
    script = FILES.get(request.path_params["name"])
    if script is None:
        return PlainTextResponse("Not found\n", 404)
    headers = {"cache-control": _FOR_A_YEAR, "x-content-type-options": "nosniff"}
    return Response(script, media_type="text/javascript", headers=headers)


ROUTE = Route(f"{_FOLDER}/{{name}}", _send)
