from .cli import CommandLine

CommandLine.entrypoint()
