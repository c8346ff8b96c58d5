# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix and a private Dovecot (for SASL only), wired as docker-mailserver does it.

Everything lies in the folder of a `Nest`: configuration, queue, sockets, logs,
certificate. Nothing of the system's own Postfix or Dovecot is read or touched,
all ports are free ones of 127.0.0.1, and mail that is accepted is discarded.

A mail host has *entrances*. Each is a pair of smtpd services with the same
restrictions: `submission` (port 587: STARTTLS is required) and `submissions`
(port 465: TLS from the first byte).
"""

import os
import pwd
import random
import re
import shutil
import socket
import subprocess
import tempfile

from processes import Log, find_program, wait_until

FLAVOURS = ("submission", "submissions")

DOMAIN = "example.com"
USERS = {"user@example.com": "secret", "other@example.com": "hidden"}

NEEDED = {"postconf": "postfix", "dovecot": "dovecot-core", "swaks": "swaks",
          "openssl": "openssl"}

# As in docker-mailserver's master.cf, for both ports.
SUBMISSION_OPTIONS = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_sasl_authenticated_header": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_discard_ehlo_keywords": "",
    "milter_macro_daemon_name": "ORIGINATING",
}
TLS_OPTIONS = {
    "submission": {"smtpd_tls_security_level": "encrypt"},
    "submissions": {"smtpd_tls_wrappermode": "yes"},
    "plain": {"smtpd_tls_security_level": "none"},
}

MAIN_CF = """\
compatibility_level = 3.7
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mail.example.com
mydomain = example.com
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
local_transport = discard:
relay_transport = discard:
virtual_transport = discard:
default_transport = discard:
recipient_delimiter = +
smtpd_tls_cert_file = {folder}/tls.crt
smtpd_tls_key_file = {folder}/tls.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_path = {folder}/sasl-auth.sock
smtpd_sasl_security_options = noanonymous
smtpd_sasl_local_domain = $mydomain
dms_smtpd_sender_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unknown_sender_domain
smtpd_sender_restrictions = $dms_smtpd_sender_restrictions
smtpd_recipient_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
"""

MASTER_CF = """\
postlog   unix-dgram n -     n       -       1       postlogd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
proxymap  unix  -       -       n       -       -       proxymap
anvil     unix  -       -       n       -       1       anvil
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
"""

DOVECOT_CONF = """\
base_dir = {folder}/dovecot-run
state_dir = {folder}/dovecot-state
log_path = {folder}/dovecot.log
protocols =
ssl = no
listen = 127.0.0.1
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/passwd
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  unix_listener {folder}/sasl-auth.sock {{
    mode = 0600
    user = postfix
  }}
}}
"""


def missing():
    """Says why no mail host can run on this machine; None where one can."""
    if os.geteuid() != 0:
        return "Postfix starts as root only"
    if not find_program("postconf") and find_program("sendmail"):
        return "another mail server is installed in place of Postfix"
    for program, package in NEEDED.items():
        if not find_program(program):
            return f"{program} is not installed (package {package})"
    return _unfit_dovecot() or _unfit_postfix() or _unfit_swaks()


def _unfit_dovecot():
    version = _run("dovecot", "--version").stdout
    if not version.startswith("2.3."):
        return f"Dovecot 2.3 is needed, this one is {version.split(' ')[0].strip()}"
    return None


def _unfit_postfix():
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        return "there is no user postfix"
    if not os.access(f"{_daemon_directory()}/master", os.X_OK):
        return f"postconf is there, but no {_daemon_directory()}/master"
    with tempfile.TemporaryDirectory() as folder:
        # Without a main.cf to read, postconf says nothing.
        with open(f"{folder}/main.cf", "w", encoding="utf-8"):
            tables = _run("postconf", "-c", folder, "-m").stdout.split()
    return None if "pcre" in tables else "Postfix has no pcre tables (package postfix-pcre)"


def _unfit_swaks():
    if "=== TLS supported" not in _run("swaks", "--support").stdout:
        return "swaks cannot speak TLS (package libnet-ssleay-perl)"
    return None


def _run(program, *arguments):
    """Runs a short command that has to succeed."""
    done = subprocess.run([find_program(program), *arguments],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program} {' '.join(arguments)}: {done.stderr.strip()}")
    return done


def _daemon_directory():
    """Where Postfix keeps its daemons."""
    return _run("postconf", "-d", "-h", "daemon_directory").stdout.strip()


def free_ports(count):
    """Picks ports of 127.0.0.1 that nobody has, below those that clients are given."""
    ports = []
    for port in random.sample(range(20000, 32000), 2000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("no free ports on 127.0.0.1")


class MailHost:
    """A running Postfix with its Dovecot; ends with the nest.

    `entrances` maps a name to the smtpd options of that entrance, for all
    flavours; `settings` are added to main.cf, or replace what stands there.
    """

    def __init__(self, nest, entrances, settings=None, flavours=FLAVOURS):
        self._nest = nest
        self._postfix = nest.path("postfix")
        self._flavours = flavours
        self.log = Log(nest.path("maillog"))
        pairs = [(name, flavour) for name in entrances for flavour in flavours]
        self._ports = dict(zip(pairs, free_ports(len(pairs))))
        self._make_certificate()
        self._write_dovecot()
        self._write_postfix(entrances, settings or {})

    def port(self, entrance, flavour):
        """The TCP port of an entrance."""
        return self._ports[entrance, flavour]

    def start(self):
        """Starts both servers and returns once each port answers."""
        dovecot = self._nest.start(
            [find_program("dovecot"), "-F", "-c", self._nest.path("dovecot.conf")],
            self._nest.path("dovecot.out"))
        wait_until(lambda: self._alive(dovecot) and
                   os.path.exists(self._nest.path("sasl-auth.sock")), "Dovecot's SASL socket")
        master = self._nest.start([f"{_daemon_directory()}/master", "-c", self._postfix, "-d"],
                                  self._nest.path("postfix.out"))
        for port in self._ports.values():
            wait_until(lambda: self._alive(master) and self._answers(port), f"Postfix at {port}")

    def accepted(self, since=0):
        """The queue ids of all mail that has been delivered and removed."""
        removed = re.compile(r"postfix/qmgr\[\d+\]: (\w+): removed$")
        return {removed.search(line)[1] for line in self.log.matching(removed, since)}

    def diagnostics(self, lines=15):
        """The last lines of every log, for whoever has to find out what failed."""
        said = []
        for name in ("maillog", "postfix.out", "dovecot.log", "dovecot.out"):
            said += [f"{name}: {line}" for line in Log(self._nest.path(name)).lines()[-lines:]]
        return "\n".join(said)

    def _alive(self, server):
        if server.poll() is not None:
            raise RuntimeError(f"{server.args[0]} ended, status {server.returncode}:\n"
                               + self.diagnostics())
        return True

    @staticmethod
    def _answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _make_certificate(self):
        _run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=mail.example.com",
             "-keyout", self._nest.path("tls.key"), "-out", self._nest.path("tls.crt"))

    def _write_dovecot(self):
        users = "".join(f"{login}:{{PLAIN}}{password}\n" for login, password in USERS.items())
        # Dovecot's auth process is not root.
        passwd = self._nest.write("passwd", users, mode=0o640)
        shutil.chown(passwd, group="dovecot")
        self._nest.write("dovecot.conf", DOVECOT_CONF.format(folder=self._nest.folder))

    def _write_postfix(self, entrances, settings):
        self._make_queue()
        os.mkdir(self._postfix, 0o755)
        kept = [line for line in MAIN_CF.splitlines(keepends=True)
                if line.partition(" =")[0] not in settings]
        main = "".join(kept).format(folder=self._nest.folder)
        main += "".join(f"{name} = {value}\n" for name, value in settings.items())
        self._nest.write("postfix/main.cf", main)
        services = [self._service(name, flavour, options)
                    for name, options in entrances.items() for flavour in self._flavours]
        self._nest.write("postfix/master.cf", MASTER_CF + "".join(services))
        complaints = _run("postconf", "-c", self._postfix, "-n").stderr
        complaints += _run("postconf", "-c", self._postfix, "-M").stderr
        if complaints:
            raise RuntimeError(f"the test's own Postfix configuration: {complaints}")

    def _service(self, entrance, flavour, options):
        """The lines of master.cf for one port."""
        port = self.port(entrance, flavour)
        settings = {"syslog_name": f"postfix/{entrance}-{flavour}",
                    **TLS_OPTIONS[flavour], **SUBMISSION_OPTIONS, **options}
        lines = [f"127.0.0.1:{port} inet n - n - - smtpd"]
        lines += [f"  -o {{ {name} = {value} }}" for name, value in settings.items()]
        return "\n".join(lines) + "\n"

    def _make_queue(self):
        """Makes the folders that `postfix check` would make, with the same owners and modes."""
        queue = self._nest.path("queue")
        os.mkdir(queue, 0o755)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "private", "saved", "trace"):
            self._make_folder(f"{queue}/{name}", 0o700, "postfix")
        self._make_folder(f"{queue}/public", 0o710, "postfix", "postdrop")
        self._make_folder(f"{queue}/maildrop", 0o730, "postfix", "postdrop")
        self._make_folder(f"{queue}/pid", 0o755, "root")
        self._make_folder(self._nest.path("data"), 0o700, "postfix")

    @staticmethod
    def _make_folder(path, mode, user, group=None):
        os.mkdir(path)
        os.chmod(path, mode)
        shutil.chown(path, user, group)
