"""Object storage on disk: oss://BUCKET/KEY is the file BUCKET/KEY under the data folder, and nothing outside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# A name with dots is the bucket.endpoint form, which IMM refuses.
_URI = re.compile(r"oss://([A-Za-z0-9][A-Za-z0-9_-]{0,62})(?:/(.*))?", re.DOTALL)
_MAX_KEY_BYTES = 1023


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of oss://BUCKET/KEY; the key may be empty. ValueError says what is wrong with another text."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError("it must have the form oss://bucket/object, with the bucket's bare name")
    bucket, key = match[1], match[2] or ""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError("the object's name is not valid Unicode") from None
    if size > _MAX_KEY_BYTES:
        raise ValueError(f"the object's name is longer than {_MAX_KEY_BYTES:,} bytes")
    if key.startswith(("/", "\\")):
        raise ValueError("the object's name starts with a slash")
    return bucket, key


@dataclass(frozen=True, slots=True)
class Oss:
    """The buckets: the folders in `root`. Every refusal is an OSError whose text a person can read."""

    root: Path

    def read(self, uri: str, max_bytes: int) -> bytes:
        """The object's content; FileNotFoundError when there is none, OverflowError beyond `max_bytes`."""
        path = self._path(uri)
        if not path.is_file():
            raise FileNotFoundError(f"There is no object {uri}.")
        if (size := path.stat().st_size) > max_bytes:
            raise OverflowError(f"The source has {size:,} bytes; at most {max_bytes:,} can be converted.")
        return path.read_bytes()

    def write(self, uri: str, content: bytes) -> None:
        path = self._path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _path(self, uri: str) -> Path:
        try:
            bucket, key = split_uri(uri)
            folder = self.root.resolve() / bucket
            path = (folder / key).resolve()
        except (ValueError, RuntimeError) as error:  # RuntimeError: symlinks in a circle, before Python 3.13
            raise FileNotFoundError(f"{uri} cannot be a file: {error}.") from None
        if not folder.is_dir() or folder.is_symlink():
            raise FileNotFoundError(f"There is no bucket {bucket}.")
        if ".." in key.split("/") or folder not in path.parents:
            raise FileNotFoundError(f"{uri} is not inside its bucket.")
        return path
