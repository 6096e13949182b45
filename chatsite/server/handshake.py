"""What is left of a handshake once it is over."""

from typing import NamedTuple

# What autobahn and Daphne keep of a handshake, 3 kB of it, and never look at again.
OF_THE_HANDSHAKE = frozenset(
    (
        "_raw_query_string",
        "_transport_details",
        "_wskey",
        "application_deferred",
        "clean_headers",
        "http_headers",
        "http_request_data",
        "http_request_host",
        "http_request_params",
        "http_request_path",
        "http_request_uri",
        "http_response_data",
        "http_status_line",
        "is_open",
        "protocol_to_accept",
        "request",
        "root_path",
        "server_addr",
        "websocket_extensions",
        "websocket_extensions_in_use",
        "websocket_origin",
        "websocket_protocol_in_use",
        "websocket_protocols",
    )
)


class Upgraded(NamedTuple):
    """What is kept of a request: Daphne names it when the connection ends."""

    path: str
