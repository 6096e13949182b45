"""The server in a process of its own with the small application, and what tests do with it."""

import asyncio
import datetime
import os
import re
import socket
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rig.programs import Program, free_port
from rig.raw_socket import RawSocket
from rig.waiting import until

APPLICATION = "tests.integration.tiny_app:application"
PATIENCE_S = 20

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class TinyServer(Program):
    """The server in a process of its own, with the small application. `before` is Python that runs before it."""

    def __init__(self, folder, *options, reach=None, before="", env=None):
        self.port = free_port()
        self._reach = reach or ("127.0.0.1", self.port)
        address = [] if reach else ["-b", "127.0.0.1", "-p", str(self.port)]
        start = f"import sys\n{before}\nfrom chatsite.server.cli import CommandLine\nCommandLine().run(sys.argv[1:])"
        self._read_until = 0
        super().__init__(
            [sys.executable, "-c", start, *address, *options, APPLICATION],
            folder / "server.log",
            {**os.environ, **(env or {})},
        )

    def is_ready(self):
        return listens(self._reach)

    # What it wrote

    @property
    def lines(self):
        return self.log.read_text(errors="replace")[self._read_until :].splitlines()

    def forget_lines(self):
        self._read_until = len(self.log.read_text(errors="replace"))

    async def said(self, pattern):
        """The first line like that."""
        return (await until(lambda: [line for line in self.lines if re.search(pattern, line)]))[0]

    # Connections

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    async def open(self, path, **headers):
        return await RawSocket.open(self.url(path), **headers)

    async def open_narrow(self, path):
        """A socket that has little room for what is not read yet."""
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=narrow, limit=16 * 1024)
        writer.write(UPGRADE % path.encode() + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        return RawSocket(reader, writer)

    async def tell(self, data):
        """Send bytes; everything that is answered until the end of the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()

    async def get(self, path, *headers):
        answer = await self.tell(
            "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]).encode()
        )
        return answer.partition(b"\r\n\r\n")[2]


def family_of(address):
    if isinstance(address, str):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def listens(address):
    with socket.socket(family_of(address)) as probe:
        return probe.connect_ex(address) == 0


def make_certificate(folder):
    """One file with the key and a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    pem, no_encryption = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_encryption)
    path.write_bytes(private + certificate.public_bytes(pem))
    return path
