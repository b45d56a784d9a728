"""``python typed_client.py SOCKET ARGUMENT…``: ``invoke ARGUMENT…``, run by the server in typed.py.

For a shell that a test starts, which has inherited the server's socket.
"""

import json
import os
import socket
import sys

request = {"args": sys.argv[2:], "env": dict(os.environ), "cwd": os.getcwd()}  # noqa: PTH109 (pathlib takes longer to load)
reports, end = os.pipe()
server = socket.socket(fileno=int(sys.argv[1]))
socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2, end])
os.close(end)
with os.fdopen(reports) as lines:
    pid, code = map(int, lines)
sys.exit(code)
