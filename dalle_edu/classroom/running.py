"""Whether a notebook is open in a Jupyter server of this machine."""

import json
import urllib.request
from pathlib import Path

_PATIENCE = 2.0  # seconds


def open_in_jupyter(path: Path) -> bool:
    """Whether a running Jupyter server of this user has a kernel for a notebook; false where no server answers."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        request = urllib.request.Request(f"{server['url']}api/sessions", headers={"Authorization": f"token {server['token']}"})
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                sessions = json.load(answer)
        except (OSError, ValueError):
            continue
        root = Path(server["root_dir"])
        if any((root / session["path"]).resolve() == path.resolve() for session in sessions):
            return True
    return False
