# SPDX-License-Identifier: BSD-2-Clause
"""The suites where executable memory is refused (PR_SET_MDWE, as MemoryDenyWriteExecute= does).

SUITES is which, or which test programs; everything that they start inherits the
refusal.
"""

import os
import subprocess
import sys

import rig
from rig import ROOT, figure
from tap import Skip, Suite, equal, that

suite = Suite()

SUITES = os.environ.get("SUITES", "").split() or [
    os.path.relpath(os.path.join(rig.BUILD, "tests", "test_rules"), ROOT)]
PR_SET_MDWE, PR_GET_MDWE, REFUSE_EXEC_GAIN = 65, 66, 1

# Refuses itself executable memory and becomes the command; status 99: the
# kernel can not.
REFUSE = f"""
import ctypes, os, sys
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0) != 0:
    sys.exit(99)
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_refused(*command):
    """Runs a command where executable memory is refused."""
    done = subprocess.run([sys.executable, "-c", REFUSE, *command], capture_output=True, text=True,
                          cwd=ROOT, check=False)
    if done.returncode == 99:
        raise Skip("this kernel has no PR_SET_MDWE")
    return done


@suite.case("what is started inherits the refusal")
def inherited(_):
    ask = f"import ctypes; print(ctypes.CDLL(None).prctl({PR_GET_MDWE}, 0, 0, 0, 0))"
    equal(run_refused(sys.executable, "-c", ask).stdout, f"{REFUSE_EXEC_GAIN}\n", "PR_GET_MDWE")


@suite.case("{which} passes without executable memory", which=SUITES)
def suites(_, which):
    done = run_refused(sys.executable, os.path.join(ROOT, "tests", "run"), which)
    last = (done.stdout.splitlines() or [""])[-1]
    figure(f"without executable memory, suite {which}: {last}")
    that(done.returncode == 0 and " 0 failed" in last, done.stdout[-4000:] + done.stderr[-2000:])


if __name__ == "__main__":
    sys.exit(suite.run(rig.Stage))
