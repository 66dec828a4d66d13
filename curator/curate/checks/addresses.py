"""What is wrong with the address of an image, as far as it shows without fetching anything."""

import binascii
import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_DATA: Final = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_BARE: Final = ("iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD")
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"%PDF", "pdf"),
    (b"<svg", "svg+xml"),
    (b"<?xml", "svg+xml"),
)
_OWN_HOSTS: Final = (".local", ".localhost", ".internal", ".lan")


class Fault(NamedTuple):
    """What is wrong with an address, and the way out."""

    problem: str
    way_out: str


_CONVERT: Final = "Put the image itself into the line as a data: address."


def fault_of(url: str, *, may_fetch: bool) -> Fault | None:
    """Return what is wrong with an image's address; may_fetch says that the service reads the web."""
    if url[:5].lower() == "data:":
        return _fault_of_data(url)
    if not url.strip():
        return Fault("is empty", "Give it the address of the image.")
    scheme = _SCHEME.match(url)
    name = scheme[1].lower() if scheme else ""
    if name in ("http", "https"):
        return _fault_of_web(url) or (None if may_fetch else _NOT_FETCHED)
    if name == "file":
        return Fault("names a file on a computer (file:)", _CONVERT)
    if url.startswith(_BARE):
        return Fault("is an image without the beginning of a data: address", _WITH_TYPE)
    if scheme and not _DRIVE.match(url):
        return Fault(f"begins with {name[:20]}:, which no service fetches", _CONVERT)
    return Fault("is a path on a computer, not an address", _CONVERT)


_NOT_FETCHED: Final = Fault("is on the web, and this service fetches none", _CONVERT)
_ENCODE: Final = "Encode the image again."
_WITH_TYPE: Final = "Write its type before it, such as data:image/png;base64, and so on."


def kind_of_bytes(data: bytes) -> str:
    """Return the image type that bytes begin like; empty for none that is known."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "")


def _fault_of_data(url: str) -> Fault | None:
    header = _DATA.match(url)
    if header is None:
        return Fault("is a data: address without a comma", _WITH_TYPE)
    kind = header[1].strip().lower()
    if not kind.startswith("image/"):
        return Fault("does not say what type of image it is", _WITH_TYPE)
    if header[2].strip().lower().rpartition(";")[2] != "base64":
        return Fault("does not say that it is base64", _WITH_TYPE)
    try:
        data = binascii.a2b_base64(url[header.end() :], strict_mode=True)
    except ValueError as error:
        return Fault(f"is broken base64 ({_reason(url[header.end() :], error)})", _ENCODE)
    if not data:
        return Fault("holds no image", _ENCODE)
    found = kind_of_bytes(data)
    said = kind.removeprefix("image/").replace("jpg", "jpeg")
    if not found:
        return Fault("holds bytes that are no image of a known type", _ENCODE)
    if found != said:
        return Fault(f"calls its image {said[:20]}, but it is {found}", f"Write image/{found}.")
    return None


def _reason(body: str, error: ValueError) -> str:
    odd = _NOT_BASE64.search(body.rstrip("="))
    return f"character {odd.start() + 1}" if odd else str(error).lower()


def _fault_of_web(url: str) -> Fault | None:
    if any(c.isspace() or not c.isprintable() for c in url):
        return Fault("has a space in it", "Write %20 for a space, or correct the address.")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if not host:
        return Fault("names no computer on the web", "Correct the address.")
    if _is_own(host):
        return Fault("is on a computer that no service can reach", _CONVERT)
    return None


def _is_own(host: str) -> bool:
    """Say whether a host is this computer, or one of a network of one's own."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(_OWN_HOSTS)
