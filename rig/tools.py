"""Programs that the tests need and pip does not bring: found, installed where that is possible, or asked for."""

import os
import shutil
import subprocess

NODE_VERSION_MIN = 18


class Missing(Exception):
    """A tool is missing; the argument says what to install."""


def chromium() -> str:
    """CHROMIUM may name it. Without it, root gets Debian's, with a font for Chinese."""
    if not _find_chromium():
        _apt_install("chromium", "fonts-noto-cjk")
    found = _find_chromium()
    if not found:
        raise Missing(
            "Browser tests need Chromium. Install it (Debian: apt-get install chromium) or give its path in CHROMIUM."
        )
    return found


def node() -> str:
    if not shutil.which("node"):
        _apt_install("nodejs")
    found = shutil.which("node")
    if not found or major_version(found) < NODE_VERSION_MIN:
        raise Missing(f"JavaScript tests need Node {NODE_VERSION_MIN} or newer. Debian: apt-get install nodejs.")
    return found


def major_version(node_path: str) -> int:
    version = subprocess.run([node_path, "--version"], capture_output=True, text=True).stdout
    return int(version.strip().lstrip("v").split(".")[0] or 0)


def _find_chromium() -> str | None:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def _apt_install(*packages: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {' '.join(packages)} with apt-get", flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=env, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages],
        env=env,
        stdout=subprocess.DEVNULL,
    )
