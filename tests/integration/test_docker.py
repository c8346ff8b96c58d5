# SPDX-License-Identifier: BSD-2-Clause
"""What docker/ has for people to copy: every setting is one, every part does what it says.

The image itself is built and run by tests/docker.
"""

import json
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from fromguard import PROGRAM, ROOT, Client, Server  # noqa: E402
from processes import Nest, find_program, wait_until  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

DOCKER = os.path.join(ROOT, "docker")
SHIPPED = {"/etc/fromguard/docker-mailserver.conf":
           os.path.join(ROOT, "conf", "docker-mailserver.conf")}
LOGIN, OWN, LATER = "user@example.com", "alias@example.com", "later@example.com"
REFUSED = f"553 5.7.1 not owned by user {LOGIN}"

# YAML is read by the distribution's Python: no other needs to have the module.
YAML = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"

# docker-mailserver's main.cf and master.cf, as far as they matter.
MAIN = """\
compatibility_level = 3.6
smtpd_sender_login_maps = unionmap:{texthash:/etc/postfix/virtual}
dms_smtpd_sender_restrictions = permit_sasl_authenticated, permit_mynetworks
mua_sender_restrictions = reject_authenticated_sender_login_mismatch,
  $dms_smtpd_sender_restrictions
"""
MASTER = """\
smtp       inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sender_restrictions=$mua_sender_restrictions
"""

# A system whose /etc, /usr/local and /run are copies, and what supervisord does
# there when it is told of a program.
INSIDE = """\
set -e
mount -t tmpfs none "$1"
for folder in etc usr/local; do
	mkdir -p "$1/$folder/up" "$1/$folder/work"
	mount -t overlay none "/$folder" \
		-o "lowerdir=/$folder,upperdir=$1/$folder/up,workdir=$1/$folder/work" || exit 77
done
mount -t tmpfs none /run
mkdir -p /etc/supervisor/conf.d
cat >/usr/local/bin/supervisorctl <<'END'
#!/bin/sh
[ "$*" = update ] || exit 1
[ -e /run/started ] && exit 0
touch /run/started
value() { sed -n "s/^$1=//p" /etc/supervisor/conf.d/fromguard.conf; }
setpriv --reuid="$(value user)" --regid="$(value user)" --clear-groups $(value command) >&2 &
END
chmod 755 /usr/local/bin/supervisorctl
export PATH="/usr/local/bin:$PATH"
sh "$2/user-patches.sh"
sh "$2/user-patches.sh"
health() {
	setpriv --reuid="$1" --regid="$2" --clear-groups fromguard ask --health >/dev/null 2>&1 &&
		echo "$1 may ask" || echo "$1 may not ask"
}
health postfix postfix
health nobody nogroup
fromguard explain user@example.com alias@example.com | grep verdict
echo 'user@example.com later@example.com' >>"$2/sender-login-map.cf"
tries=100
until fromguard ask user@example.com later@example.com || [ "$tries" = 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done >/dev/null
fromguard ask user@example.com later@example.com
"""

# A folder as another container sees it: read-only, and as another user.
READ_ONLY = """\
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
! touch "$1/x" 2>/dev/null || exit 1
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$2" ask -s "$1/policy.sock" \
	user@example.com nobody@example.com
"""


def read(name):
    """The text of a file of docker/."""
    with open(os.path.join(DOCKER, name), encoding="utf-8") as file:
        return file.read()


def documents(name):
    """The YAML documents of a file of docker/."""
    done = subprocess.run(["/usr/bin/python3", "-c", YAML], input=read(name), text=True,
                          capture_output=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        raise Skip("python3-yaml is not installed")
    equal(done.returncode, 0, f"status ({done.stderr})")
    return json.loads(done.stdout)


def services():
    """The services of compose.yaml."""
    return documents("compose.yaml")[0]["services"]


def object_of(kind):
    """An object of kubernetes.yaml."""
    return next(found for found in documents("kubernetes.yaml") if found["kind"] == kind)


def pod():
    """The pod of kubernetes.yaml: its sidecar, its mail server, itself."""
    spec = object_of("Deployment")["spec"]["template"]["spec"]
    return spec["initContainers"][0], spec["containers"][0], spec


def parameter(text):
    """The value of mua_sender_restrictions in a piece of main.cf, in one line."""
    return " ".join(re.search(r"^mua_sender_restrictions =((?:\n? .*)+)", text, re.M)[1].split())


def needs_namespaces():
    """Skips where mounts of its own are not possible."""
    if os.geteuid() != 0 or not find_program("unshare") or not find_program("setpriv"):
        raise Skip("mounts of its own take root and util-linux")


def in_namespace(script, *arguments):
    """Runs a shell script with mounts and processes of its own; returns what it is done with."""
    done = subprocess.run(
        ["unshare", "-m", "-p", "--fork", "--kill-child", "sh", "-c", script, "sh", *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd="/",
        env=fromguard.SANDBOXED)
    if done.returncode == 77:
        raise Skip(f"these mounts are not possible here: {done.stderr.strip()}")
    return done


class Stage(Nest):
    """A folder; servers are started by the cases."""

    def diagnostics(self):
        """What a server has said."""
        path = self.path("server.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as log:
            return log.read()


def settings(**environment):
    """The settings in force with nothing but these variables: name -> value."""
    config = environment.get("FROMGUARD_CONFIG", "/dev/null")
    environment["FROMGUARD_CONFIG"] = SHIPPED.get(config, config)
    done = fromguard.run("config", "--json", env=environment)
    equal((done.returncode, done.stderr), (0, ""), f"config with {environment}")
    return {row["name"]: row["value"] for row in json.loads(done.stdout)}


# --- compose.yaml ---

@suite.case("compose: every variable is a setting, those that are commented out as well")
def compose_settings(_):
    given = services()["fromguard"]["environment"]
    spare = dict(re.findall(r"^ *#(FROMGUARD_\w+): (.*)$", read("compose.yaml"), re.M))
    that(given and spare, "there are none")
    for name, value in {**given, **spare}.items():
        found = settings(**{**given, name: value})
        if name != "FROMGUARD_CONFIG":
            equal(str(found[name.removeprefix("FROMGUARD_").lower()]), value, name)
    found = settings(**given)
    that("postfix-accounts.cf" in str(found["maps"]), found)


@suite.case("compose: the sidecar may read the configuration and write nothing but its socket")
def compose_sidecar(_):
    sidecar = services()["fromguard"]
    equal(sidecar["volumes"], ["./docker-data/dms/config/:/tmp/docker-mailserver/:ro",
                               "fromguard:/run/fromguard"], "volumes")
    wanted = {"read_only": True, "network_mode": "none", "cap_drop": ["ALL"],
              "security_opt": ["no-new-privileges:true"]}
    equal({name: sidecar[name] for name in wanted}, wanted)


@suite.case("compose: the mail server waits for it, shares the folder, and keeps its own check")
def compose_mailserver(_):
    server = services()["mailserver"]
    that("fromguard:/run/fromguard:ro" in server["volumes"], server["volumes"])
    equal(server["depends_on"], {"fromguard": {"condition": "service_healthy"}})
    equal(server["environment"]["SPOOF_PROTECTION"], "1")


@suite.case("another user gets answers through a folder that it sees read-only")
def read_only_folder(stage):
    needs_namespaces()
    os.mkdir(stage.path("shared"))
    server = Server(stage, "server", {
        "maps": f"text:{stage.write('senders', '')}", "socket_mode": "0666",
        "listen": f"unix:{stage.path('shared', 'policy.sock')}"}).start()
    done = in_namespace(READ_ONLY, stage.path("shared"), PROGRAM)
    equal((done.returncode, done.stdout, done.stderr), (1, f"reject: {REFUSED}\n", ""))
    equal(server.stop(), 0, "exit status")


# --- postfix-main.cf ---

@suite.case("postfix-main.cf: applied as docker-mailserver does, it stands before what permits")
def main_cf(stage):
    postconf = find_program("postconf")
    if not postconf:
        raise Skip("Postfix is not installed")
    os.mkdir(stage.path("postfix"))
    stage.write("postfix/master.cf", MASTER)

    def ask(*options):
        return subprocess.run([postconf, "-c", stage.path("postfix"), *options], text=True,
                              capture_output=True, check=True).stdout

    def lint():
        text = ask("-n") + ask("-P") + ask("-F")
        senders = stage.write("senders", f"{LOGIN} {OWN}\n")
        return fromguard.run("lint", "-o", f"maps=text:{senders}", "--postfix", "-", input=text)

    stage.write("postfix/main.cf", MAIN)
    equal(lint().returncode, 1, "status without it")
    stage.write("postfix/main.cf", MAIN + read("postfix-main.cf"))
    stage.write("postfix/main.cf", ask("-n"))
    value = ask("-h", "mua_sender_restrictions").strip()
    that(value.startswith("check_policy_service { unix:/run/fromguard/policy.sock,"), value)
    that(value.endswith("}, $dms_smtpd_sender_restrictions"), value)
    done = lint()
    equal((done.returncode, done.stdout), (0, "0 errors, 0 warnings\n"), "lint")


@suite.case("postfix-main.cf, the README and kubernetes.yaml say the same")
def same_restrictions(_):
    wanted = parameter(read("postfix-main.cf"))
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        text = re.sub(r"^    ", "", readme.read(), flags=re.M)
    equal(parameter(text), wanted, "README.md")
    equal(parameter(object_of("ConfigMap")["data"]["postfix-main.cf"]), wanted, "kubernetes.yaml")


# --- kubernetes.yaml ---

@suite.case("Kubernetes: the pod is allowed by the restricted standard, and its volumes exist")
def kubernetes_pod(_):
    sidecar, server, spec = pod()
    wanted = {"runAsNonRoot": True, "runAsUser": 10040, "runAsGroup": 10040,
              "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
              "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    equal(sidecar["securityContext"], wanted)
    equal(sidecar["restartPolicy"], "Always", "a sidecar, not a step of the start")
    that(spec["enableServiceLinks"] is False, "a Service could put in settings")
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for container in (sidecar, server):
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        equal([mount for mount in mounts.values() if mount["name"] not in volumes], [])
        equal(mounts["/run/fromguard"]["name"], "socket", "the folder of the socket")
    that("emptyDir" in volumes["socket"], volumes["socket"])


@suite.case("Kubernetes: the probes are the health check of the image")
def kubernetes_probes(_):
    check = json.loads(re.search(r"^HEALTHCHECK (?:.*\\\n)*\s+CMD (.*)", read("Dockerfile"), re.M)[1])
    sidecar, _, _ = pod()
    for probe in ("startupProbe", "livenessProbe"):
        equal(sidecar[probe]["exec"]["command"], ["fromguard", *check[1:]], probe)


@suite.case("Kubernetes: the ConfigMap serves, laid out as the kubelet does, and when it changes")
def kubernetes_config(stage):
    data = object_of("ConfigMap")["data"]
    folder = stage.path("configmap")
    os.mkdir(folder)
    os.chmod(folder, 0o777)

    def publish(generation, contents):
        os.mkdir(os.path.join(folder, generation))
        for name, text in contents.items():
            stage.write(os.path.join(folder, generation, name),
                        text.replace("/etc/fromguard", folder))
        os.symlink(generation, os.path.join(folder, "..tmp"))
        os.rename(os.path.join(folder, "..tmp"), os.path.join(folder, "..data"))

    publish("..1", data)
    for name in data:
        os.symlink(os.path.join("..data", name), os.path.join(folder, name))
    address = f"unix:{stage.path('kubernetes.sock')}"
    process = stage.start([PROGRAM, "serve", "-c", os.path.join(folder, "fromguard.conf"),
                           "-o", f"listen={address}"], stage.path("server.log"))

    def ask(sender):
        with Client(address) as client:
            return client.ask(LOGIN, sender)

    wait_until(lambda: os.path.exists(stage.path("kubernetes.sock")), "the socket")
    equal((ask(OWN), ask(LATER)), ("DUNNO", REFUSED), "at first")
    publish("..2", {**data, "senders": f"{LOGIN} {LATER}\n"})
    wait_until(lambda: ask(LATER) == "DUNNO", "the change")
    equal(ask(OWN), REFUSED, "what is gone")
    equal(stage.stop(process), 0, "exit status")


# --- user-patches.sh ---

@suite.case("user-patches.sh: shellcheck has nothing to say")
def shellcheck(_):
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", os.path.join(DOCKER, "user-patches.sh")],
                          capture_output=True, text=True, check=False)
    equal(done.stdout, "", "shellcheck")


@suite.case("user-patches.sh: started twice it serves, Postfix alone may ask, edits count")
def user_patches(stage):
    needs_namespaces()
    if subprocess.run(["id", "postfix"], capture_output=True, check=False).returncode:
        raise Skip("Postfix is not installed")
    for name in ("config", "copies"):
        os.mkdir(stage.path(name))
    config = stage.path("config")
    shutil.copy(PROGRAM, config)
    shutil.copy(os.path.join(DOCKER, "user-patches.sh"), config)
    with open(SHIPPED["/etc/fromguard/docker-mailserver.conf"], encoding="utf-8") as shipped:
        stage.write("config/fromguard.conf",
                    shipped.read().replace("/tmp/docker-mailserver", config))
    stage.write("config/sender-login-map.cf", f"{LOGIN} {OWN}\n")
    done = in_namespace(INSIDE, stage.path("copies"), config)
    equal((done.returncode, done.stdout.splitlines()),
          (0, ["postfix may ask", "nobody may not ask", "verdict  allow", "allow: DUNNO"]),
          f"status and output ({done.stderr})")


# --- Dockerfile ---

@suite.case("Dockerfile: its version is the program's, and no line names a place to load from")
def dockerfile(_):
    version = re.search(r"^ARG VERSION=(.*)$", read("Dockerfile"), re.M)[1]
    equal(fromguard.run("version").stdout, f"fromguard {version}\n", "version")
    that("://" not in read("Dockerfile"), "an address")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
