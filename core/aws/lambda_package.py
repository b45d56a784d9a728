"""The zip of the stream function: it contains only this project's modules.

Lambda's Python runtime provides boto3. The same sources make the same archive, byte for byte.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import InputError
from core.settings import PROJECT_ROOT

HANDLER = "core.dynamodb.stream.handler.handler"
_PARTS = (
    "core/*.py",
    "core/aws/**/*.py",
    "core/dynamodb/**/*.py",
    "core/engines/**/*.py",
    "core/targets/**/*.py",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_zip(path: Path) -> int:
    """The size in bytes of the zip, after writing it to ``path``.

    Raises:
        InputError: the file cannot be written.
    """
    sources = [source for part in _PARTS for source in sorted(PROJECT_ROOT.glob(part))]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for source in sources:
                name = source.relative_to(PROJECT_ROOT).as_posix()
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, source.read_bytes())
    except OSError as error:
        raise InputError(
            f"Could not write {path}: {error.strerror}", "Name another file with --file."
        ) from error
    return path.stat().st_size
