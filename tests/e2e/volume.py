# SPDX-License-Identifier: BSD-2-Clause
"""conf/docker-mailserver.conf as it is shipped, with its configuration volume elsewhere."""

import json
import os
import subprocess

from daemon import ROOT, program

VOLUME = "/tmp/docker-mailserver/"  # in the shipped configuration


def shipped_settings(volume):
    """The settings of conf/docker-mailserver.conf, with the files in the folder `volume`."""
    path = os.path.join(ROOT, "conf", "docker-mailserver.conf")
    done = subprocess.run([program(), "config", "-n", "--json", "-c", path],
                          capture_output=True, text=True, timeout=20, check=True)
    settings = {setting["name"]: setting["value"] for setting in json.loads(done.stdout)}
    settings.pop("listen", None)
    settings["maps"] = settings["maps"].replace(VOLUME, volume)
    # What the file says to do where postfix-aliases.cf is used.
    return {**settings, "local_domains": "mail.example.com"}
