"""Units with hostile values, judged by systemd itself; used by 700-generator.sh.

words OUT    prints how many Exec= word lists came back from systemd as they went in (T32)
mutants OUT [SEED]  prints how many mutated files gave a unit that systemd loads
keys OUT     prints whether the Podman beside us knows the keys that berth says it has, and no others
halves OUT   prints whether two processes make of 300 entangled files what one does
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

UNITS = "/run/systemd/system"
PIECES = ["a", "b c", "'", '"', "\\", "\\n", ";", " ; ", "", "\n", "\t", "\r\n[Service]\nExecStartPre=/bin/false", "#", "%", "$x",
          "${y}", "=", "\x01", "\x7f", "ä", "-x", "--", "@", "!", "\\x41", "%n"]
BASE = """# a web server
[Unit]
Description=Web \\
  server
After=network.target
ConditionPathExists=!/nosuch
StartLimitBurst=5

[Container]
Image=localhost/busybox
ContainerName=web
Exec=httpd -f -p "80 80" 'x' \\
  --more
Environment=A=1 "B=two words"
Volume=/srv:/srv:ro
PublishPort=8080:80
Label=app=web
AddCapability=CAP_NET_ADMIN
ReadOnly=yes
Mount=type=tmpfs,destination=/x

[Service]
Restart=always
Environment=FOO=bar
ExecStartPre=-/bin/sh -c 'echo "a b" $X'
ExecStartPre=+@/bin/true yes ; /bin/true
ExecStopPost=/bin/sh -c \
  "true"
WorkingDirectory=-/srv
SupplementaryGroups=adm "audio"
DynamicUser=no
PIDFile=/run/web.pid
TimeoutStartSec=1min 30s

[Install]
WantedBy=multi-user.target
"""


def escaped(word):
    """A word as [Container] Exec= takes it; a percent sign is systemd's, so it is doubled."""
    text = "".join(c if c.isalnum() and c.isascii() else "\\U%08x" % ord(c) for c in word).replace("\\U00000025", "%%")
    return '"' + text + '"'


def generate(directory, out):
    os.makedirs(out, exist_ok=True)
    environment = dict(os.environ, QUADLET_UNIT_DIRS=directory)
    command = ["berth", "generator", "-no-kmsg-log", out]
    return subprocess.run(command, env=environment, timeout=60, capture_output=True)


def load(out, prefix):
    for name in os.listdir(out):
        if name.endswith(".service"):
            os.symlink(os.path.join(out, name), os.path.join(UNITS, name))
    subprocess.run(["systemctl", "daemon-reload"], check=True)


def unload(prefix):
    for name in os.listdir(UNITS):
        if name.startswith(prefix):
            os.unlink(os.path.join(UNITS, name))
    subprocess.run(["systemctl", "daemon-reload"], check=True)


def argv_of(service):
    path = "/org/freedesktop/systemd1/unit/" + "".join(c if c.isalnum() else "_%02x" % ord(c) for c in service)
    command = ["busctl", "--json=short", "get-property", "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Service", "ExecStart"]
    lines = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["data"]
    assert len(lines) == 1, lines
    return lines[0][1]


def words(out):
    rng = random.Random(32)
    units = tempfile.mkdtemp(dir=os.path.dirname(out))
    lists = []
    for i in range(150):
        lists.append(["".join(rng.choice(PIECES) for _ in range(rng.randrange(3))) for _ in range(rng.randrange(1, 6))])
        with open("%s/judge%d.container" % (units, i), "w") as file:
            file.write("[Container]\nImage=localhost/i\nExec=%s\n" % " ".join(map(escaped, lists[-1])))
    done = generate(units, out)
    assert done.returncode == 0, done
    load(out, "judge")
    good = 0
    for i, wanted in enumerate(lists):
        subprocess.run(["systemctl", "show", "-p", "LoadState", "judge%d.service" % i], check=True, capture_output=True)
        got = argv_of("judge%d.service" % i)
        if got[got.index("localhost/i") + 1:] == wanted:
            good += 1
        else:
            print("# wanted %r, systemd has %r" % (wanted, got))
    unload("judge")
    print("%d of %d" % (good, len(lists)))


def mutate(rng):
    text = bytearray(BASE.encode())
    for _ in range(rng.randrange(1, 5)):
        text = text or bytearray(b"\n")
        at, kind = rng.randrange(len(text)), rng.randrange(6)
        if kind == 0:
            text[at] = rng.randrange(256)
        elif kind == 1:
            del text[at:at + rng.randrange(1, 20)]
        elif kind == 2:
            text[at:at] = rng.choice([b'"', b"'", b"\\", b"\n", b"[", b"]", b"=", b"%Z", b"\\\n", b"\0", b"\xff", b";"])
        elif kind == 3:
            lines = text.split(b"\n")
            rng.shuffle(lines)
            text = bytearray(b"\n".join(lines))
        elif kind == 4:
            text[at:at] = text[rng.randrange(len(text)):][:40]
        else:
            text = text[:at]
    return bytes(text) or b"\n"


def mutants(out, seed):
    rng = random.Random(seed)
    units = tempfile.mkdtemp(dir=os.path.dirname(out))
    for i in range(500):
        with open("%s/mutant%d.container" % (units, i), "wb") as file:
            # Of its own name, so that no two claim one service.
            file.write(mutate(rng).replace(b"ServiceName", b"X"))
    done = generate(units, out)
    assert done.returncode in (0, 1), done
    load(out, "mutant")
    good = 0
    names = ["mutant%d.service" % i for i in range(500)]
    shown = subprocess.run(["systemctl", "show", "-p", "Id", "-p", "LoadState"] + names, check=True, capture_output=True, text=True)
    for block in shown.stdout.strip().split("\n\n"):
        if "LoadState=loaded" in block:
            good += 1
        else:
            print("# " + block.replace("\n", " "))
    unload("mutant")
    print("%d of 500" % good)


def entangled(units):
    """Files that name each other, some of them broken, with services and links of one name."""
    rng = random.Random(2)
    for i in range(300):
        other = rng.randrange(300)
        kind = ["container", "volume", "network"][i % 3]
        lines = {"container": ["Image=localhost/i", "Volume=f%d.volume:/v" % (other // 3 * 3 + 1), "Network=f%d.network" % (other // 3 * 3 + 2)],
                 "volume": ["VolumeName=v%d" % i], "network": ["NetworkName=n%d" % i]}[kind]
        lines += [["Pod=all.pod"], ["ServiceName=f%d" % other], ["Nope=1"], [], [], []][rng.randrange(6)] if kind == "container" else [["Nope=1"], [], [], [], []][rng.randrange(5)]
        links = "Alias=f%d.service one.service" % other if i % 7 == 0 else ""
        with open("%s/f%d.%s" % (units, i, kind), "w") as file:
            file.write("[%s]\n%s\n[Install]\nWantedBy=default.target\n%s\n" % (kind.title(), "\n".join(lines), links))
    with open(units + "/all.pod", "w") as file:
        file.write("[Pod]\n")


def tree(top):
    found = {}
    for where, _, names in os.walk(top):
        for name in names:
            path = os.path.join(where, name)
            found[path[len(top):]] = os.readlink(path) if os.path.islink(path) else open(path, "rb").read()
    return found


def processes(units, out, processors):
    """What the generator says and how many processes it was: in a namespace of its own the next process has the next number."""
    command = "taskset -c %s berth generator -no-kmsg-log %s; echo \"status $?\" >&2; sh -c 'echo $$'" % (processors, out)
    environment = dict(os.environ, QUADLET_UNIT_DIRS=units)
    done = subprocess.run(["unshare", "--pid", "--fork", "sh", "-c", command], env=environment, timeout=60, capture_output=True, check=True)
    return done.stderr, int(done.stdout) - 2


def halves(out):
    available = sorted(os.sched_getaffinity(0))
    assert len(available) > 1, "this check needs two processors"
    units = tempfile.mkdtemp(dir=os.path.dirname(out))
    entangled(units)
    said = {}
    for count in (1, 2):
        said[count], number = processes(units, "%s-%d" % (out, count), ",".join(map(str, available[:count])))
        assert number == count, "%d processors: %d processes" % (count, number)
    one, two = tree(out + "-1"), tree(out + "-2")
    assert said[1] == said[2], "they say different things"
    assert b"could not be translated" in said[1] and len(one) > 400, len(one)
    differing = [path for path in sorted(one.keys() | two.keys()) if one.get(path) != two.get(path)]
    print("\n".join("# %s differs" % path for path in differing) or "all alike")


NEEDED = {"container": "Image=localhost/i", "kube": "Yaml=/y.yml", "image": "Image=localhost/i", "build": "ImageTag=localhost/i\nFile=/f"}


def keys(out):
    """`.artifact` is left out where Podman does not look at such files at all."""
    os.makedirs(out)
    count = 0
    for kind in ["container", "pod", "volume", "network", "kube", "image", "build"]:
        shown = subprocess.run(["berth", "help", "keys", kind.title()], check=True, capture_output=True, text=True).stdout
        for key in re.findall(r"^  (\w+)=", shown, re.MULTILINE):
            count += 1
            with open("%s/%s-%s.%s" % (out, kind, key, kind), "w") as file:
                file.write("[%s]\n%s\n%s=1\n" % (kind.title(), NEEDED.get(kind, ""), key))
    assert count > 200, count
    version = subprocess.run(["podman", "--version"], check=True, capture_output=True, text=True).stdout.split()[-1].split("+")[0]
    checked = subprocess.run(["berth", "check", "--podman", version, "--format", "json", out], capture_output=True, text=True).stdout
    later = {os.path.basename(one["file"]) for one in json.loads(checked) if one["code"] == "podman-version"}
    peer = ["/usr/libexec/podman/quadlet", "-dryrun"]
    said = subprocess.run(peer, env=dict(os.environ, QUADLET_UNIT_DIRS=out), capture_output=True, text=True).stderr
    unknown = set(re.findall(r'converting "([^"]+)": unsupported key', said))
    assert unknown, said
    for name in sorted(later ^ unknown):
        print("# %s: Podman %s %s" % (name, version, "has it" if name in later else "lacks it"))
    print("as it is" if later == unknown else "%d differ" % len(later ^ unknown))


if sys.argv[1] == "mutants":
    mutants(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "500")
else:
    {"words": words, "halves": halves, "keys": keys}[sys.argv[1]](sys.argv[2])
