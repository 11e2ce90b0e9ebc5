"""Lines of [Unit], [Service] and [Install] that systemd refuses or passes over: what `berth check` says of them, judged by systemd itself.

lines OUT [all]  every option that systemd has, with values good and bad: prints whether both name the same lines, "all alike"
refused OUT      values for which systemd loads no unit: prints how many are told, and have a unit in their place that systemd loads
"""
import json
import os
import subprocess
import sys

UNITS = "/run/systemd/system"
VALUES = ["banana", "/x", "a/b", "-1", "0", "101", "%", "foo bar", "'", "", "yes", "1min 2h", "10%", "1.5G", "infinity", "SIGTERM", "foo.service",
          "system-foo.slice", "/a/../b", "FOO=bar", "/dev/sda 5M", "0644"]
REST = ["1", "4096", "99999999999999999999", "|/x", "!", "-", "150%", "/a:/b", "1A=b", "-/x", "CAP_NET_ADMIN", "AF_INET", "strict", "tmpfs", "inherit",
        "file:/x", "idle", "best-effort", "daemon", "debug", "kill", "reboot-force", "replace", "man:foo(1)", "native", "cpu memory",
        "/dev/null rw", "10.0.0.0/8", "any", "0-3", "x:/y", "none", "nosuch.type", "shared", "base64:YQ==", "1 2 3", "Foo", "on-failure"]
# Berth refuses some that would break a start (code "sandbox"); systemd has nothing against them.
# Those that decide whether the unit is loaded at all: judged by `refused`.
FATAL = ("ExecCondition ExecStartPre ExecStart ExecReload ExecStartPost ExecStop ExecStopPost User Group SupplementaryGroups "
         "WorkingDirectory RootDirectory RootImage RootVerity DynamicUser RootImagePolicy ExtensionImagePolicy MountImagePolicy "
         "PIDFile Restart Type ExitType").split()
# Berth says more of some, and nothing of others that only systemd's own libraries judge.
MORE = ("CapabilityBoundingSet AmbientCapabilities SecureBits BlockIOAccounting BlockIOWeight StartupBlockIOWeight KillMode DefaultInstance "
        "Alias WantedBy RequiredBy UpheldBy").split()
LESS = "LogFilterPatterns RestrictFileSystems OpenFile RootImageOptions ExtensionImages MountImages SetCredential SetCredentialEncrypted".split()


def options():
    text = subprocess.run(["/usr/lib/systemd/systemd", "--dump-configuration-items"], check=True, capture_output=True, text=True).stdout
    found, section = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif "=" in line and section in ("Unit", "Service", "Install"):
            found.append((section, line.split("=")[0]))
    assert len(found) > 380, len(found)
    return found


def body(value):
    """One line of each option; the line numbers are those of both files."""
    lines, keys, before = [], {}, ""
    for section, key in options():
        if section != before:
            lines.append("[%s]" % section)
            lines += ["Type=oneshot", "ExecStart=/bin/true"] if section == "Service" else []
            before = section
        if key not in FATAL + MORE + LESS:
            lines.append("%s=%s" % (key, value))
            keys[len(lines) + 2] = "[%s] %s=%s" % (section, key, value)
    return "\n".join(lines) + "\n", keys


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def told_by_berth(directory):
    done = subprocess.run(["berth", "check", "--format", "json", directory], capture_output=True, text=True)
    return json.loads(done.stdout)


def told_by_systemd(names):
    shown = subprocess.run(["journalctl", "-n", "0", "--show-cursor", "-q"], check=True, capture_output=True, text=True).stdout
    since = "--after-cursor=" + shown.split("cursor: ")[1].strip()
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "show", "-p", "LoadState"] + names, check=True, capture_output=True)
    subprocess.run(["journalctl", "--sync"], check=True)
    journal = subprocess.run(["journalctl", since, "_PID=1", "-o", "json"], check=True, capture_output=True, text=True).stdout
    for entry in map(json.loads, journal.splitlines()):
        file = entry.get("CONFIG_FILE", "")
        if os.path.dirname(file) == UNITS and os.path.basename(file) in names:
            yield names.index(os.path.basename(file)), int(entry["CONFIG_LINE"])


def lines(out, values):
    os.makedirs(out)
    keys = {}
    for i, value in enumerate(values):
        text, keys[i] = body(value)
        write("%s/lines%d.container" % (out, i), "[Container]\nImage=localhost/i\n" + text)
        write("%s/lines%d.service" % (UNITS, i), "# as line 1\n# and 2\n" + text)
    names = ["lines%d.service" % i for i in range(len(values))]
    ours, theirs, sandboxed = set(), set(), set()
    for p in told_by_berth(out):
        name = os.path.basename(p.get("file", ""))
        if name.startswith("lines"):
            place = int(name[5:].split(".")[0]), p["line"]
            (sandboxed if p["code"] in ("sandbox", "install") else ours).add(place)  # what systemd has no opinion of
    # The manager does not wait for a journal that is busy: of thousands of lines one may be missing, but not each time.
    for _ in range(3):
        theirs.update(told_by_systemd(names))
        assert len(theirs) > 200 * len(values), len(theirs)
        if not any(at in keys[i] for i, at in ours - theirs):
            break
    for name in names:
        os.unlink("%s/%s" % (UNITS, name))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    differing = [one for one in sorted(ours ^ theirs) if one not in sandboxed and one[1] in keys[one[0]]]
    for i, at in differing:
        print("# %s: told by %s alone" % (keys[i][at], "berth" if (i, at) in ours else "systemd"))
    print("%d differ" % len(differing) if differing else "all alike")


REFUSED = {
    "ExecStartPre": ["@/bin/true", "@/bin/true ;", "|||/bin/true", "++/bin/true", "!!!/bin/true", "+!/bin/true", "-@/bin/true", "!", "-", "/", "/bin/", "bin/true",
                     "-a/b", "%%/x", "%n/x", "/bin/%Z", "a\\x2fb", "/bin/\\x01", "'' x", "'", "/bin/true '", "-/bin/true '", "/bin/true ; a/b", "..",
                     "/bin/true ; true", "/bin/true ';' @x", "@/bin/true x", "-!!:/bin/true", "%h/x", "true", "'/bin/a b' \"c d\"", "x" * 300],
    "ExecReload": ["/bin/kill -HUP $MAINPID", "@", "a\"b"],
    "User": ["root", "a/b", "a:b", ".", "-", "-1", "65535", "4294967295", "007", "1.5", "a.b", "%i", "%Z", "a b"],
    "SupplementaryGroups": ["adm audio", "adm a/b", "", "'adm' \"0\"", "65535 adm", "."],
    "WorkingDirectory": ["~", "-/x", "-x", "x", "/a/../b", "/..", "~/x", "%h", "%n", "\"/x\"", "/%Z", "-%Z", "/" + "x" * 256],
    "RootDirectory": ["-/x", "x", "/a/../b", "%Z"], "RootImage": ["x"], "DynamicUser": ["banana", "", "no"],
    "PIDFile": ["/a/../b", "/dev/x", "x.pid"], "MountImagePolicy": ["banana", "root=verity+signed", "*", ""], "AppArmorProfile": ["%Z", "-%Z"],
    "Restart": ["always", "on-success", "no"], "ExitType": ["cgroup", "main"],
}


def refused(out):
    os.makedirs(out + "-units")
    cases = [(key, value) for key, values in REFUSED.items() for value in values]
    for i, (key, value) in enumerate(cases):
        line = "%s=%s\n" % (key, value)
        write("%s-units/refused%d.container" % (out, i), "[Container]\nImage=localhost/i\n[Service]\nType=oneshot\n" + line)
        write("%s/plain%d.service" % (UNITS, i), "[Service]\nType=oneshot\nExecStart=/bin/true\n" + line)
    os.makedirs(out)
    environment = dict(os.environ, QUADLET_UNIT_DIRS=out + "-units")
    subprocess.run(["berth", "generator", "-no-kmsg-log", out], env=environment, timeout=60, capture_output=True)
    for i in range(len(cases)):
        os.symlink("%s/refused%d.service" % (out, i), "%s/refused%d.service" % (UNITS, i))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    told = {os.path.basename(p["file"]) for p in told_by_berth(out + "-units") if p["severity"] == "error"}
    names = ["%s%d.service" % (kind, i) for i in range(len(cases)) for kind in ("plain", "refused")]
    shown = subprocess.run(["systemctl", "show", "--value", "-p", "LoadState"] + names, check=True, capture_output=True, text=True)
    states, good = shown.stdout.split(), 0
    for i, (key, value) in enumerate(cases):
        plain, ours = states[2 * i:2 * i + 2]
        failing = "--print-failure" in open("%s/refused%d.service" % (out, i)).read()
        if (plain != "loaded", "loaded") == (failing, ours) and failing == ("refused%d.container" % i in told):
            good += 1
        else:
            print("# %s=%s: systemd has it %s, ours %s, %s" % (key, value, plain, ours, "failing" if failing else "translated"))
    for name in names:
        os.unlink("%s/%s" % (UNITS, name))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    print("%d of %d" % (good, len(cases)))


if sys.argv[1] == "lines":
    lines(sys.argv[2], VALUES + REST if "all" in sys.argv else VALUES)
else:
    refused(sys.argv[2])
