"""
forms.py root|ACCOUNT [PART-OF-A-NAME…]: every form of Network=, PublishPort=, Volume=, UserNS=, UIDMap= and their relatives, once by Berth
and once by Podman from the same unit file: what the payload sees and what the host listens on are compared line by line. A difference that no
entry of KNOWN names makes the run fail, and so does an entry that nothing needed. Runs as the account that the units are for.
"""
import difflib
import os
import re
import subprocess
import sys
import time

ROOT = os.getuid() == 0
HOME = os.path.expanduser('~')
# Where a user that is not root of the host can come to.
WORK = '/var/tmp/forms' if ROOT else f'{HOME}/forms'
UNITS = '/run/systemd/system' if ROOT else f'{HOME}/.config/systemd/user'
PEERS = {
    'berth': ['/usr/lib/systemd/system-generators/berth-system-generator'] if ROOT else ['/usr/lib/systemd/user-generators/berth-user-generator', '--user'],
    'podman': ['/usr/libexec/podman/quadlet'] if ROOT else ['/usr/libexec/podman/quadlet', '--user'],
}
SYSTEMCTL = ['systemctl'] if ROOT else ['systemctl', '--user']
BRIDGE = '[Network]\nNetworkName=app-@\nSubnet=10.77.6.0/24\nGateway=10.77.6.1\n'
SIX = '[Network]\nNetworkName=six-@\nIPv6=true\nSubnet=10.77.7.0/24\nSubnet=fd77:7::/64\n'
VOLUME = '[Volume]\nVolumeName=data-@\n'
NET = {'app-@.network': BRIDGE}
VOL = {'data-@.volume': VOLUME}
APP = 'Network=app-@.network'
OTHER = {'other-@.container': '[Container]\nImage=localhost/busybox:latest\nContainerName=other-@\nHostName=box\nStopSignal=SIGKILL\nExec=sleep 1000\n[Service]\nSuccessExitStatus=137\n'}
BOUND = {'data-@.volume': VOLUME + 'Type=none\nOptions=bind\nDevice=%WORK%/source\n'}

# NAME: lines of [Container]; further unit files. `@` becomes the peer's name.
FORMS = {
    'nothing': '',
    'network none': 'Network=none',
    'network host': 'Network=host',
    'network private': 'Network=private',
    'network bridge': 'Network=bridge',
    'network unit': (APP, NET),
    'network unit, address': (f'{APP}:ip=10.77.6.9', NET),
    'network unit, mac': (f'{APP}:mac=02:00:00:00:00:77', NET),
    'network unit, interface name': (f'{APP}:interface_name=front', NET),
    'network unit, IP=': (f'{APP}\nIP=10.77.6.10', NET),
    'network unit, alias': (f'{APP}\nNetworkAlias=www', NET),
    'network unit, IPv6': ('Network=six-@.network:ip6=fd77:7::9', {'six-@.network': SIX}),
    'network unit, internal': (APP, {'app-@.network': BRIDGE + 'Internal=true\n'}),
    'network unit, no names': (APP, {'app-@.network': BRIDGE + 'DisableDNS=true\n'}),
    'network unit, mtu': (APP, {'app-@.network': BRIDGE + 'Options=mtu=1400\n'}),
    'two networks': (f'{APP}\nNetwork=six-@.network', {**NET, 'six-@.network': SIX}),
    'network by path': 'Network=ns:/run/netns/forms',
    'network of a container': ('Network=other-@.container', OTHER),
    'network of a container, add host': ('Network=other-@.container\nAddHost=one:192.0.2.1\nAddHost=gate:host-gateway', OTHER),
    'network of a container, by its name': ('Network=container:other-@\n[Unit]\nRequires=other-@.service\nAfter=other-@.service', OTHER),
    'pod': ('Pod=app-@.pod\n# no host name', {'app-@.pod': '[Pod]\nPodName=app-@\nPodmanArgs=--hostname=box --infra-image=localhost/busybox:latest --infra-command="sleep 1000" --exit-policy=continue\nPublishPort=8093:80\nVolume=%WORK%/source:/data\n'}),
    'host name': 'HostName=other',
    'no host name': '# no host name',
    'network host, no host name': 'Network=host\n# no host name',
    'dns': 'DNS=192.0.2.99\nDNSSearch=example.org\nDNSOption=ndots:3',
    'dns in a network': (f'{APP}\nDNS=192.0.2.99\nDNSSearch=example.org', NET),
    'dns none': 'DNS=none',
    'add host': 'AddHost=one:192.0.2.1\nAddHost=gate:host-gateway',
    'network host, add host': 'Network=host\nAddHost=one:192.0.2.1',
    'network none, add host': 'Network=none\nAddHost=one:192.0.2.1',
    'port': 'PublishPort=8080:80',
    'port of an address': 'PublishPort=127.0.0.1:8081:80',
    'port, udp': 'PublishPort=8082:80/udp',
    'port, IPv6': 'PublishPort=[::1]:8083:80',
    'port, 0.0.0.0': 'PublishPort=0.0.0.0:8087:80',
    'ports': 'PublishPort=8084-8086:84-86',
    'port, both families': 'PublishPort=0.0.0.0:8092:80\nPublishPort=[::]:8092:80',
    'port, network host': 'Network=host\nPublishPort=8090:80',
    'port, network none': 'Network=none\nPublishPort=8091:80',
    'port, network of a container': ('Network=other-@.container\nPublishPort=8094:80', OTHER),
    'port of a network': (f'{APP}\nPublishPort=8088:80', NET),
    'volume': 'Volume=%WORK%/source:/data',
    'volume, ro': 'Volume=%WORK%/source:/data:ro',
    'volume, options': 'Volume=%WORK%/source:/data:noexec,nosuid,nodev',
    'volume, propagation': 'Volume=%WORK%/source:/data:rshared',
    'volume, not recursive': 'Volume=%WORK%/source:/data:bind',
    'volume, U': 'Volume=%WORK%/owned-@:/data:U',
    'volume, z': 'Volume=%WORK%/source:/data:z',
    'volume, O': 'Volume=%WORK%/source:/data:O',
    'volume of one file': 'Volume=%WORK%/source/file:/etc/one:ro',
    'volume, relative': 'Volume=./relative:/data',
    'volume by name': 'Volume=byname-@:/data',
    'volume without a name': 'Volume=/data',
    'volume unit': ('Volume=data-@.volume:/data', VOL),
    'volume unit, ro': ('Volume=data-@.volume:/data:ro', VOL),
    'volume unit, copied up': ('Volume=data-@.volume:/etc', VOL),
    'volume unit, nocopy': ('Volume=data-@.volume:/etc/init.d:nocopy', VOL),
    'volume unit, tmpfs': ('Volume=data-@.volume:/data', {'data-@.volume': VOLUME + 'Type=tmpfs\nDevice=tmpfs\nOptions=size=1m,mode=700\n'}),
    'volume unit, bind': ('Volume=data-@.volume:/data', BOUND),
    'volume unit, image': ('Volume=data-@.volume:/data', {'data-@.volume': VOLUME + 'Driver=image\nImage=localhost/busybox:latest\n'}),
    'mount volume, subpath': ('Mount=type=volume,source=data-@.volume,target=/data,subpath=below', BOUND),
    'mount bind': 'Mount=type=bind,source=%WORK%/source,target=/data,ro=true',
    'mount volume': ('Mount=type=volume,source=data-@.volume,target=/data,ro=true', VOL),
    'mount tmpfs': 'Mount=type=tmpfs,target=/data,tmpfs-size=1m,tmpfs-mode=700',
    'mount image': 'Mount=type=image,source=localhost/busybox:latest,target=/data',
    'tmpfs': 'Tmpfs=/data',
    'tmpfs, options': 'Tmpfs=/data:size=1m,mode=700,noexec',
    'read-only': 'ReadOnly=true',
    'read-only without tmpfs': 'ReadOnly=true\nReadOnlyTmpfs=false',
    'shm size': 'ShmSize=10m',
    'userns host': 'UserNS=host',
    'userns auto': 'UserNS=auto',
    'userns auto, size': 'UserNS=auto:size=2000',
    'uid map': 'UIDMap=0:1000:100\nUIDMap=100:5000:10',
    'uid and gid map': 'UIDMap=0:1000:100\nGIDMap=0:2000:50',
    'uid map with a volume': 'UIDMap=0:1000:100\nVolume=%WORK%/source:/data',
    **({
        'gid map, group alone': 'UIDMap=0:300000:1000\nGIDMap=0:400000:1000',
        'volume, idmap': 'UIDMap=0:300000:1000\nGIDMap=0:300000:1000\nVolume=%WORK%/source:/data:idmap',
        'sub uid map': 'SubUIDMap=alice\nSubGIDMap=alice',
        'port, sctp': 'PublishPort=8089:80/sctp',
    } if ROOT else {
        'network pasta': 'Network=pasta',
        'network pasta, options': 'Network=pasta:--mtu,1400,-I,up0',
        'network pasta, gateway': 'Network=pasta:--map-gw',
        'userns keep-id': 'UserNS=keep-id',
        'userns keep-id, uid': 'UserNS=keep-id:uid=7,gid=8',
        'userns keep-id, size': 'UserNS=keep-id:size=2000',
        'userns nomap': 'UserNS=nomap',
        'uid map, +': 'UIDMap=+7:@1000:1',
        'uid map, @': 'UIDMap=0:@100000:50\nGIDMap=0:@100000:50',
        'gid map, +g': 'GIDMap=+g9:@1000:1',
        'userns keep-id with a volume': 'UserNS=keep-id:uid=7,gid=8\nVolume=%WORK%/source:/data',
    }),
}

# Form, account (or *), part of a line that differs: why. `berth` in front of the line is ours, `podman` the peer's.
KNOWN = [tuple(line.rstrip('\n').split('\t')) for line in open(f'{os.path.dirname(os.path.abspath(__file__))}/forms-known.tsv') if not line.startswith('#')]

# The peer's launcher says the id of the container, sooner or later than the probe speaks.
ID = re.compile('[0-9a-f]{64}')

PROBE = r'''
echo "== uid_map"; cat /proc/self/uid_map; echo "== gid_map"; cat /proc/self/gid_map; echo "== id"; id
echo "== addresses"; ip -o addr; echo "== links"; ip -o link; echo "== routes"; ip route; ip -6 route
echo "== hostname"; hostname; echo "== hosts"; cat /etc/hosts; echo "== resolv.conf"; cat /etc/resolv.conf
echo "== mounts"; cat /proc/self/mountinfo
echo "== owners"; stat -c "%a %u %g %n" / /etc/hosts /etc/hostname /etc/resolv.conf /data /data/* /tmp /dev/shm /run 2>/dev/null
echo "== writable"; for d in / /data /tmp /run /dev/shm /etc/init.d; do [ -d $d ] && { touch $d/probe 2>/dev/null && { echo "$d"; rm $d/probe; }; }; done
echo "== end"
exec sleep 1000
'''


def run(*argv, check=True, **more):
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise SystemExit(f'{" ".join(argv)}: {done.returncode}: {done.stdout}{done.stderr}')
    return done


def files_of(number, form, peer):
    lines, more = form if isinstance(form, tuple) else (form, {})
    host_name = '' if 'HostName=' in lines or 'no host name' in lines else 'HostName=box\n'
    text = (f'[Container]\nImage=localhost/busybox:latest\nContainerName=form\n{host_name}LogDriver=passthrough\nStopSignal=SIGKILL\nVolume={WORK}/probe:/probe:ro\nExec=sh /probe\n{lines}\n'
            f'[Service]\nStandardOutput=append:{WORK}/out-{number}-{peer}\nStandardError=inherit\nSuccessExitStatus=137\n')
    every = {'form-@.container': text, **more}
    return {name.replace('-@', f'-{number}-{peer}'): content.replace('%WORK%', WORK).replace('-@', f'-{number}-{peer}') for name, content in every.items()}


def translate(number, form, peer):
    """Installs the services of a form; their names, the container's last."""
    source = f'{WORK}/units/{number}-{peer}'
    out = f'{source}-out'
    for directory in (source, out, f'{source}/relative', f'{WORK}/owned-{number}-{peer}/below'):
        os.makedirs(directory, exist_ok=True)
    for name, content in files_of(number, form, peer).items():
        with open(f'{source}/{name}', 'w', encoding='utf-8') as file:
            file.write(content)
    done = run(*PEERS[peer], '--no-kmsg-log', out, out, out, env={**os.environ, 'QUADLET_UNIT_DIRS': source}, check=False)
    if done.returncode != 0:
        return [f'refused: {done.stderr.strip()}']
    names = sorted(name for name in os.listdir(out) if name.endswith('.service'))
    for name in names:
        with open(f'{out}/{name}', encoding='utf-8') as file, open(f'{UNITS}/{name}', 'w', encoding='utf-8') as target:
            target.write(file.read())
    return sorted(names, key=lambda name: name.startswith('form-'))


def listening():
    lines = run('ss', '-HltunS', check=False).stdout.splitlines()
    return {f'{words[0]} {words[4]}' for words in map(str.split, lines) if len(words) > 4}


def seen(number, peer, services):
    """What the payload and the host see, normal; or why it does not start."""
    output = f'{WORK}/out-{number}-{peer}'
    before = listening()
    started = run(*SYSTEMCTL, 'start', services[-1], check=False)
    text = ''
    until = time.monotonic() + 30
    while started.returncode == 0 and time.monotonic() < until:
        text = open(output, encoding='utf-8', errors='replace').read()
        if '== end' in text:
            break
        time.sleep(0.02)
    ports = sorted(listening() - before)
    if '== end' not in text:
        said = open(output, encoding='utf-8', errors='replace').read().strip().splitlines() if os.path.exists(output) else []
        said = [line for line in said if not ID.fullmatch(line)]
        text = '== failed\n' + (said[0] if said else 'nothing said')
    # In a user namespace Podman gives the file to the payload's user, and systemd cannot open it for ExecStop=.
    if os.path.exists(output):
        os.unlink(output)
    run(*SYSTEMCTL, 'stop', *services, check=False)
    run(*SYSTEMCTL, 'reset-failed', services[-1], check=False)
    for volume in ('data', 'byname'):
        run(peer, 'volume', 'rm', '-f', f'{volume}-{number}-{peer}', check=False)
    for network in (f'app-{number}-{peer}', f'six-{number}-{peer}'):
        run(peer, 'network', 'rm', '-f', network, check=False)
    return normal(text + '\n== host listens\n' + '\n'.join(ports), f'-{number}-{peer}')


def normal(text, suffix):
    lines, part = [], ''
    for line in text.splitlines():
        if line.startswith('== '):
            part = line[3:]
            continue
        line = line.rstrip()
        if line == '' or part == 'end' or ID.fullmatch(line):
            continue
        if part in ('addresses', 'links'):
            line = link(line)
        if part == 'mounts':
            line = mount(line)
        line = re.sub(r'\b10\.(88|89|9[0-9])\.\d+\.\d+', '10.X.X.X', line).replace(suffix, '-@')
        line = re.sub(r'\s+', ' ', line).strip()
        if line:
            lines.append(f'{part}: {line}')
    # Which resolver is asked first matters; the order of all else does not.
    return sorted((line for line in lines), key=lambda line: 'resolv.conf' if line.startswith('resolv.conf') else line)


def link(line):
    line = re.sub(r'^\d+: ', '', line)
    line = re.sub(r'@if\d+|\\|valid_lft \w+|preferred_lft \w+|tentative|flags 02|qlen \d+|link-netnsid \d+', '', line)
    line = re.sub(r'(link/ether) (?!02:00:00:00:00:77)([0-9a-f]{2}:){5}[0-9a-f]{2}', r'\1 MAC', line)
    return re.sub(r'fe80::[0-9a-f:]+', 'fe80::X', line)


def mount(line):
    """mountinfo(5): mount point, type, options; of the super block only what can be chosen."""
    left, right = line.split(' - ')
    point, options = left.split()[4:6]
    propagation = ' '.join(sorted(re.sub(r':\d+', '', word) for word in left.split()[6:]))
    kind, _, super_options = right.split()
    # Ours of binds and volumes have neither devices nor, below /run, set-user-ID programs; of the peer only an account's.
    options = ','.join(word for word in options.split(',') if word != 'nodev' and (word != 'nosuid' or point.startswith(('/data', '/dev'))))
    chosen = sorted(word for word in super_options.split(',') if re.match(r'(ro|rw|size|mode|nr_inodes)\b', word))
    return f'{point} {kind} {",".join(sorted(options.split(",")))} {propagation} super {",".join(chosen)}'


def why(who, name, line):
    for number, (form, account, part, _) in enumerate(KNOWN):
        if re.search(form, name) and account in ('*', who) and re.search(part, line):
            return number
    return None


def main():
    who, parts = sys.argv[1], sys.argv[2:]
    forms = {name: form for name, form in FORMS.items() if not parts or any(part in name for part in parts)}
    os.makedirs(f'{WORK}/source/below', exist_ok=True)
    os.makedirs(UNITS, exist_ok=True)
    for path, text in ((f'{WORK}/probe', PROBE), (f'{WORK}/source/file', 'one\n')):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    installed = {(number, peer): translate(number, form, peer) for number, form in enumerate(forms.values()) for peer in PEERS}
    run(*SYSTEMCTL, 'daemon-reload')
    used, bad = set(), 0
    for number, name in enumerate(forms):
        both = {}
        for peer in PEERS:
            services = installed[number, peer]
            both[peer] = services if services[0].startswith('refused') else seen(number, peer, services)
        refused = [peer for peer in PEERS if both[peer][0].startswith(('failed', 'refused'))]
        if os.environ.get('VERBOSE'):
            for peer in PEERS:
                print('\n'.join(f'  {peer} {line}' for line in both[peer]))
        # Both say why in words of their own.
        if len(refused) == 2:
            both = dict.fromkeys(PEERS, ['refused: by both: ' + ' | '.join(map(str, (both[peer][0] for peer in PEERS)))])
        differences = [line for line in difflib.ndiff(both['podman'], both['berth']) if line[0] in '+-']
        lines = [('berth ' if line[0] == '+' else 'podman ') + line[2:] for line in differences]
        unknown = [line for line in lines if why(who, name, line) is None]
        used |= {why(who, name, line) for line in lines}
        bad += bool(unknown)
        print(f'{"not ok" if unknown else "ok"} {number + 1} - {who}: {name} ({f"{len(lines)} lines differ" if not refused else " and ".join(refused) + " refused: " + both[refused[0]][0]})')
        for line in unknown:
            print(f'#   {line}')
        sys.stdout.flush()
    for number, entry in enumerate(KNOWN):
        if not parts and entry[1] in ('*', who) and number not in used:
            print(f'# not needed by {who}: {entry[0]} {entry[2]}')
            bad += entry[1] == who
    print(f'1..{len(forms)}')
    raise SystemExit(1 if bad else 0)


main()
