from .server import CommandLine

CommandLine.entrypoint()
