"""Where a request comes from, as far as one can know: for limits and for the log. No Django, no I/O."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN = "unknown"


def client_address(peer: str | None, forwarded: str | None) -> str:
    """The address that limits are counted by; never empty, whatever the headers say.

    `peer` is who connected to us; None or "" behind a Unix socket. `forwarded` is X-Forwarded-For, where a proxy is
    known to stand in front: each proxy adds its own peer at the right, so the client is the last address that is not
    a proxy's, which are those of private networks. What a client wrote there itself stands further left.
    """
    chain = [_address(part) for part in (forwarded or "").split(",")]
    known = [address for address in chain if address is not None]
    public = [address for address in known if not (address.is_private or address.is_loopback)]
    if public:
        return str(public[-1])
    if known:
        return str(known[0])
    return str(_address(peer or "") or UNKNOWN)


def makes_claims(forwarded: str | None) -> bool:
    """Whether X-Forwarded-For says more than proxies of ours do: what stands left of the client was written by it.

    It may be a proxy of the client's own office that says so, and many are behind it; or somebody who makes it up.
    """
    known = [address for part in (forwarded or "").split(",") if (address := _address(part)) is not None]
    return sum(not (address.is_private or address.is_loopback) for address in known) > 1


def _address(text: str) -> Address | None:
    """With a port, brackets, quotes or a zone, as proxies write it; None where it is no address."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address  # a socket for both families says ::ffff:192.0.2.1
