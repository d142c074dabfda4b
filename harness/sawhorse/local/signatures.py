"""Verify who signed an AWS call: Signature Version 4 in headers and in queries, and Version 2 of presigned S3 URLs.

Runs inside the emulators as well, so it imports the standard library alone, and botocore where Version 2 is met.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()
# Clients and emulators are on one machine and read one clock.
SKEW = timedelta(minutes=5)
LONGEST_EXPIRY = 7 * 24 * 3600
# These sign the path as it is sent; the others encode it once more.
S3 = {"s3", "s3express", "s3-object-lambda", "s3-outposts"}
# What makes a request one that says who it is from; names of query parameters in lower case.
IN_QUERY = {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid"}
# What Version 2 leaves unsigned in a query: of these a listing alone knows any, and they only narrow it. As in AWS,
# whoever has the URL may change them.
LISTING = {
    "bucket-region", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type",
    "marker", "max-buckets", "max-directory-buckets", "max-keys", "max-parts", "max-uploads", "part-number-marker",
    "prefix", "start-after", "upload-id-marker", "version-id-marker",
}  # fmt: skip
UNRESERVED = "-_.~"
# An access key, a date, a region and a service.
CREDENTIAL = re.compile("([^/]+)/([^/]+)/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused, with AWS's name for it in JSON and in XML."""

    message: str
    code: str = "AccessDeniedException"
    code_in_xml: str = "AccessDenied"
    status: int = 403


def incomplete(message: str) -> Refusal:
    return Refusal(message, "IncompleteSignatureException", "IncompleteSignature")


def mismatch(message: str) -> Refusal:
    return Refusal(message, "InvalidSignatureException", "SignatureDoesNotMatch")


UNKNOWN = Refusal(
    "The local AWS knows no such access key with this session token; run "
    'eval "$(sawhorse local env)" again if it was started anew.',
    "UnrecognizedClientException",
    "InvalidClientTokenId",
)
WRONG = mismatch(
    "The signature does not fit the secret of this access key; the local AWS has new secrets after every start, so "
    'run eval "$(sawhorse local env)" again.'
)
UNSIGNED = Refusal(
    'This call is not signed; run eval "$(sawhorse local env)" in the shell that makes it, or call an API or a '
    "function URL by its own address.",
    "MissingAuthenticationTokenException",
    "AccessDenied",
)
TAMPERED = mismatch("The body is not the one that was signed.")


@dataclass(frozen=True)
class Request:
    """A request as it came: its target unparsed, its headers with names in lower case and in their order."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs as the emulators read them, each byte a character."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True, encoding="latin-1")

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]

    def header(self, name: str) -> str:
        return ",".join(" ".join(value.split()) for value in self.all(name))


SecretOf = Callable[[str, str], str | None]
"""Gives the secret of an access key that comes with a session token, or with none (""); None when there is no such."""


@dataclass(frozen=True)
class Claim:
    """What a signature says of itself."""

    access_key: str
    date: str
    region: str
    service: str
    time: str
    signed: tuple[str, ...]
    signature: str
    token: str = field(default="", repr=False)
    # Seconds, of a signature in the query.
    expires: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def presigned(self) -> bool:
        return self.expires is not None


@dataclass(frozen=True)
class Signed:
    """A request whose signer is known; `refuse_body` says whether the body is the signed one."""

    request: Request
    claim: Claim
    key: bytes = field(default=b"", repr=False)
    # Of Version 2, which signs no body.
    whole: bool = False

    @property
    def declared(self) -> str:
        """What the request says of its body: a hash, that it is not signed, or nothing."""
        declared = self.request.header("x-amz-content-sha256")
        if self.claim.presigned and self.claim.service in S3:
            named = [value for name, value in self.request.query if name.lower() == "x-amz-content-sha256"]
            return declared or (named[0] if named else UNSIGNED_PAYLOAD)
        return declared

    @property
    def proven(self) -> bool:
        """Say whether the signature was found right before the body is read."""
        return self.whole or bool(self.declared)

    def fits(self, payload: str) -> bool:
        """Say whether the signature is that of this request with a payload of this hash."""
        return any(hmac.compare_digest(self.signature_of(path, payload), self.claim.signature) for path in self.paths())

    def paths(self) -> set[str]:
        """The forms in which SDKs sign the path: S3's as it is, others with each % encoded again, with dots or not."""
        path = self.request.path
        if self.claim.service in S3:
            return {path}
        return {quote(form, safe="/" + UNRESERVED) for form in (path, without_dots(path))}

    def signature_of(self, path: str, payload: str) -> str:
        claim = self.claim
        pairs = sorted(
            (quote(name, safe=UNRESERVED, encoding="latin-1"), quote(value, safe=UNRESERVED, encoding="latin-1"))
            for name, value in self.request.query
            if not (claim.presigned and name == "X-Amz-Signature")
        )
        canonical = "\n".join(
            [
                self.request.method,
                path,
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{self.request.header(name)}" for name in claim.signed),
                "",
                ";".join(claim.signed),
                payload,
            ]
        )
        hashed = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
        return self.signature(ALGORITHM, claim.time, claim.scope, hashed)

    def signature(self, *lines: str) -> str:
        return hmac.new(self.key, "\n".join(lines).encode("latin-1", "replace"), hashlib.sha256).hexdigest()

    def refuse_body(self, body: bytes) -> Refusal | None:
        """Say why this is not the body that was signed, if it is not."""
        if self.whole or self.declared in {UNSIGNED_PAYLOAD, UNSIGNED_CHUNKS}:
            return None
        if self.declared.startswith(SIGNED_CHUNKS):
            return None if self.chunks_fit(body) else TAMPERED
        given = hashlib.sha256(body).hexdigest()
        if self.declared:
            return None if hmac.compare_digest(given, self.declared) else TAMPERED
        return None if self.fits(given) else WRONG

    def chunks_fit(self, body: bytes) -> bool:
        """Check the chain of signatures of a body that is signed piece by piece, and nothing may follow its end."""
        previous = self.claim.signature
        at = 0
        while (end := body.find(b"\r\n", at)) >= 0:
            found = re.fullmatch(rb"([0-9a-fA-F]{1,16});chunk-signature=([0-9a-f]{64})", body[at:end])
            if not found:
                return False
            size, at = int(found[1], 16), end + 2
            chunk = body[at : at + size]
            lines = (self.claim.time, self.claim.scope, previous, EMPTY, hashlib.sha256(chunk).hexdigest())
            previous = self.signature(f"{ALGORITHM}-PAYLOAD", *lines)
            if len(chunk) != size or not hmac.compare_digest(previous, found[2].decode()):
                return False
            at += size
            if not size:
                return self.trailer_fits(body[at:], previous)
            if body[at : at + 2] != b"\r\n":
                return False
            at += 2
        return False

    def trailer_fits(self, rest: bytes, previous: str) -> bool:
        if not self.declared.endswith("-TRAILER"):
            return rest in {b"", b"\r\n"}
        text, marker, signature = rest.removeprefix(b"\r\n").partition(b"x-amz-trailer-signature:")
        if not marker:
            return False
        lines = b"".join(line + b"\n" for line in text.replace(b"\r\n", b"\n").split(b"\n") if line)
        hashed = hashlib.sha256(lines).hexdigest()
        expected = self.signature(f"{ALGORITHM}-TRAILER", self.claim.time, self.claim.scope, previous, hashed)
        return hmac.compare_digest(expected.encode(), signature.strip())


def claims_a_signer(request: Request) -> bool:
    """Say whether a request says who it is from, truly or not."""
    if any(value.strip().startswith("AWS") for value in request.all("authorization")):
        return True
    return any(name.lower() in IN_QUERY for name, _ in request.query)


def check(request: Request, secret_of: SecretOf, now: datetime | None = None) -> Signed | Refusal:
    """Return the request with its signer, or why it is refused; its body is checked afterwards, once it is read."""
    now = now or datetime.now(UTC)
    in_query = [name for name, _ in request.query if name.lower() in IN_QUERY]
    in_header = request.all("authorization")
    if not in_query and not in_header:
        return UNSIGNED
    if len(in_header) + bool(in_query) != 1 or len({name.lower() for name in in_query}) != len(in_query):
        return incomplete("A request is signed once, in its header or in its query.")
    if "AWSAccessKeyId" in in_query:
        return check_version_2(request, secret_of, now)
    claim = claim_of_query(request) if in_query else claim_of_header(request, in_header[0])
    return claim if isinstance(claim, Refusal) else check_claim(claim, request, secret_of, now)


def check_claim(claim: Claim, request: Request, secret_of: SecretOf, now: datetime) -> Signed | Refusal:
    refusal = refuse_time(claim, now) or refuse_headers(claim, request)
    if refusal:
        return refusal
    secret = secret_of(claim.access_key, claim.token)
    if not secret:
        return UNKNOWN
    signed = Signed(request, claim, signing_key(secret, claim))
    return refuse_declared(signed) or signed


def refuse_declared(signed: Signed) -> Refusal | None:
    """Refuse what is known before the body is read: most of what is not signed with the right secret."""
    declared = signed.declared
    if not declared:
        return None
    unhashed = declared in {UNSIGNED_PAYLOAD, UNSIGNED_CHUNKS, SIGNED_CHUNKS, f"{SIGNED_CHUNKS}-TRAILER"}
    if unhashed and signed.claim.service not in S3:
        return mismatch("Only S3 takes a body that is not signed, or signed piece by piece.")
    if not unhashed and not re.fullmatch("[0-9a-f]{64}", declared):
        return mismatch("x-amz-content-sha256 is not a hash of a body.")
    return None if signed.fits(declared) else WRONG


def claim_of_header(request: Request, authorization: str) -> Claim | Refusal:
    algorithm, _, rest = authorization.strip().partition(" ")
    pairs = [part.strip().partition("=")[::2] for part in rest.split(",")]
    parts = dict(pairs)
    if algorithm != ALGORITHM or sorted(name for name, _ in pairs) != ["Credential", "Signature", "SignedHeaders"]:
        return incomplete(f"An Authorization header is {ALGORITHM} with one Credential, SignedHeaders and Signature.")
    token = request.header("x-amz-security-token")
    return claim_of(parts, request.header("x-amz-date"), token, None)


def claim_of_query(request: Request) -> Claim | Refusal:
    pairs = [(name[6:], value) for name, value in request.query if name.startswith("X-Amz-")]
    parts = dict(pairs)
    if len(pairs) != len(parts) or parts.get("Algorithm") != ALGORITHM:
        return incomplete(f"A signed query says X-Amz-Algorithm={ALGORITHM} and names each of its parts once.")
    expires = parts.get("Expires", "")
    if not re.fullmatch("[0-9]{1,6}", expires) or not 1 <= int(expires) <= LONGEST_EXPIRY:
        return incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {LONGEST_EXPIRY}.")
    return claim_of(parts, parts.get("Date", ""), parts.get("Security-Token", ""), int(expires))


def claim_of(parts: dict[str, str], time: str, token: str, expires: int | None) -> Claim | Refusal:
    credential = CREDENTIAL.fullmatch(parts.get("Credential", ""))
    signed = tuple(parts.get("SignedHeaders", "").split(";"))
    if not credential:
        return incomplete("A Credential is an access key, a date, a region, a service and aws4_request, with slashes.")
    access_key, date, region, service = credential.groups()
    if list(signed) != sorted({name.lower() for name in signed}):
        return incomplete("SignedHeaders are names in lower case, each once and sorted.")
    if not re.fullmatch("[0-9a-f]{64}", parts.get("Signature", "")):
        return incomplete("A Signature has 64 hexadecimal digits.")
    if not re.fullmatch("[0-9]{8}T[0-9]{6}Z", time) or time[:8] != date:
        return incomplete("X-Amz-Date must be given, such as 20260102T030405Z, on the day that the Credential names.")
    return Claim(access_key, date, region, service, time, signed, parts["Signature"], token, expires)


def refuse_time(claim: Claim, now: datetime) -> Refusal | None:
    try:
        signed_at = datetime.strptime(claim.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return incomplete("X-Amz-Date is not a time.")
    last = timedelta(seconds=claim.expires) if claim.expires is not None else SKEW
    # An age is always one that can be computed; five minutes before the first day are not.
    if -SKEW <= now - signed_at <= last:
        return None
    return (
        Refusal("The signature has expired, or is of a time to come.", "RequestExpired", "AccessDenied")
        if claim.presigned
        else mismatch("The signature is too old, or of a time to come; sign the call anew.")
    )


def refuse_headers(claim: Claim, request: Request) -> Refusal | None:
    """Refuse a signature that leaves out what decides where a request goes and what it does."""
    present = {name for name, _ in request.headers}
    wanted = {"host"} | {name for name in present if name.startswith("x-amz-")}
    if wanted <= set(claim.signed) <= present:
        return None
    return mismatch(
        "The signature must cover Host and every x-amz-* header of the request, and no header that the request lacks."
    )


def signing_key(secret: str, claim: Claim) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, claim.service, "aws4_request"):
        key = hmac.new(key, part.encode("latin-1", "replace"), hashlib.sha256).digest()
    return key


def without_dots(path: str) -> str:
    """Resolve `.` and `..` and double slashes as SDKs do before they sign."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if path.endswith("/") and kept else "")


def check_version_2(request: Request, secret_of: SecretOf, now: datetime) -> Signed | Refusal:
    """Check a presigned URL of S3 as boto3 makes it unless told otherwise: only its method, path and age are signed."""
    from botocore.auth import HmacV1Auth  # noqa: PLC0415 # only here, and slow to import
    from botocore.awsrequest import HTTPHeaders  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    query = dict(request.query)
    moved = {name for name in query if name.startswith("x-amz-") or name in {"content-md5", "content-type"}}
    known = {"AWSAccessKeyId", "Signature", "Expires", *HmacV1Auth.QSAOfInterest} | moved
    known |= LISTING if request.method == "GET" else set()
    expires = query.get("Expires", "")
    if len(query) != len(request.query) or not query.keys() <= known or not re.fullmatch("[0-9]{1,10}", expires):
        return incomplete(
            "A presigned URL of Version 2 has an access key, an expiry, a signature and parameters that this version "
            "signs, each once; for other calls make it with Version 4: Config(signature_version='s3v4')."
        )
    if not now.timestamp() <= int(expires) <= now.timestamp() + LONGEST_EXPIRY:
        return Refusal("The signature has expired, or lasts too long.", "RequestExpired", "AccessDenied")
    token = query.get("x-amz-security-token", "")
    secret = secret_of(query["AWSAccessKeyId"], token)
    if not secret:
        return UNKNOWN
    headers = HTTPHeaders()
    for name in sorted({name for name, _ in request.headers} | moved):
        headers[name] = request.header(name) or query.get(name, "")
    signer = HmacV1Auth(Credentials(query["AWSAccessKeyId"], secret))
    # The string that is signed has the expiry where the date would be.
    signer._get_date = lambda: expires  # noqa: SLF001 # as botocore's own presigner does
    path, _, raw_query = request.target.partition("?")
    split = _Split(path, raw_query)
    given = query.get("Signature", "").encode("latin-1", "replace")
    # The path of a bucket is signed with a slash at its end, with which it means the same.
    for signed_path in {path, path if path == "/" or path.count("/") > 1 else f"{path}/"}:
        expected = signer.get_signature(request.method, split, headers, auth_path=signed_path)
        if hmac.compare_digest(expected.encode(), given):
            break
    else:
        return WRONG
    day = now.strftime("%Y%m%d")
    claim = Claim(query["AWSAccessKeyId"], day, "", "s3", "", (), "", token, LONGEST_EXPIRY)
    return Signed(request, claim, whole=True)


@dataclass(frozen=True)
class _Split:
    """What botocore reads of a URL for Version 2."""

    path: str
    query: str
