"""AWS Signature Version 4, as a server checks it: written from its description, not with the client's library."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)


class Refused(Exception):
    """`code` is the name of the error in S3's answers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def require_signed(
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
    region: str,
) -> None:
    """`path` and `query` as they came. Raises Refused."""
    match = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if match is None:
        raise Refused("AccessDenied")
    key, day, signed_region, names, signature = match.groups()
    if key != access_key or signed_region != region:  # Oracle: in another region the key is not known
        raise Refused("InvalidAccessKeyId")
    claimed = headers["x-amz-content-sha256"]
    if claimed != hashlib.sha256(body).hexdigest():
        raise Refused("XAmzContentSHA256Mismatch")
    pairs = sorted(
        (_quoted(name), _quoted(value)) for name, value in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            method,
            path,
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names.split(";")),
            "",
            names,
            claimed,
        ]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    derived = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(derived, text.encode(), "sha256").hex(), signature):
        raise Refused("SignatureDoesNotMatch")


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
