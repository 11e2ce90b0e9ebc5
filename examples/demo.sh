#!/usr/bin/env bash
# npm run demo [-- --keep]: from a fresh clone to a running service, as a user and as the system, in a machine of its own.
# Needs root on Debian 12 or 13 with Node 20 and npm; installs the rest. Nothing of the host but its packages is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
machine=test/machine/machine.sh
name=demo
step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
root() { printf '# %s\n' "$*"; $machine run $name -- "$@"; }
alice() { printf '$ %s\n' "$*"; $machine run $name --user alice -- "$@"; }
# The service is up when the web server has been executed, which may be a moment before it listens.
again='--silent --show-error --retry 5 --retry-all-errors'

step 'What the host needs, the Debian 13 tree, the build'
packaging/build/tree.sh host
[ -d node_modules ] || npm ci --no-audit --no-fund
npm run --silent build

step 'A machine: Debian 13, systemd 257, and the package'
# One that was kept is used again; files and containers of the last time go.
if $machine list | grep -qx $name; then
    $machine down $name
fi
$machine up $name --install
trap '[ "${keep:-no}" = yes ] || $machine down $name' EXIT
root systemctl --version
root berth --version
# User units wait for the network of the system; Podman's helper, which the machine has too, waits 90 s where nothing asks for it.
root systemctl start network-online.target

step 'An image, as root and as alice (made from busybox; no registry is asked)'
root berth load -i /var/lib/images/hello.tar
alice berth load -i /var/lib/images/hello.tar

step 'A file makes a service: alice, unprivileged'
$machine copy $name examples/hello.container /var/tmp/hello.container
alice mkdir -p .config/containers/systemd
alice cp /var/tmp/hello.container .config/containers/systemd/
alice systemctl --user daemon-reload
alice systemctl --user start hello
alice systemctl --user --no-pager status hello
alice curl $again http://127.0.0.1:8080/
alice journalctl --user --no-pager -u hello
alice berth ps

step 'The same for the system manager'
root mkdir -p /etc/containers/systemd
$machine copy $name examples/hello-system.container /etc/containers/systemd/hello-system.container
root systemctl daemon-reload
root systemctl start hello-system
root systemctl --no-pager status hello-system
root curl $again http://127.0.0.1:8090/
root journalctl --no-pager -u hello-system
root berth ps

step 'A clean stop'
alice systemctl --user stop hello
root systemctl stop hello-system
alice systemctl --user show hello -P ActiveState -P Result
root systemctl show hello-system -P ActiveState -P Result
alice berth ps
root berth ps

if [ "${1:-}" = --keep ]; then
    keep=yes
    step 'The machine stays up. Look around:'
    cat <<END
  $machine run $name bash                    as root
  $machine run $name --user alice bash       as alice: systemctl --user cat hello
  $machine down $name                        ends it
END
else
    step 'Done'
    cat <<END
The machine ends now. To keep it and look around:
  npm run demo -- --keep
END
fi
