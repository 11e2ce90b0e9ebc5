#!/usr/bin/env bash
# forms.py as root and as an account: every form of networks, ports, volumes and user namespaces by Berth and by Podman.
. "$(dirname "$0")/../../lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)

ip netns add forms
ip netns add far && ip link add out0 type veth peer name out1 netns far
ip addr add 192.0.2.1/24 dev out0 && ip link set out0 up && ip route add default via 192.0.2.50
ip -6 addr add fd00:192::1/64 dev out0 nodad && ip -6 route add default via fd00:192::50
ip -n far addr add 192.0.2.50/24 dev out1 && ip -n far link set out1 up
echo 'nameserver 192.0.2.50' >/etc/resolv.conf
# UserNS=auto of root's takes ids of this account in both programs.
for file in /etc/subuid /etc/subgid; do echo containers:2000000:1000000 >>$file; done
# The kernel's limit of keys is one of the whole host.
mkdir -p /etc/containers && printf '[containers]\nkeyring = false\n' >/etc/containers/containers.conf
# Podman copies /sys for a user namespace of root, and fails at what the machine has mounted twice below.
umount /sys/kernel/debug /sys/kernel/tracing 2>/dev/null
failed=0
for user in root alice; do
    for program in berth podman; do as $user $program load -q -i $IMAGES/busybox.tar >/dev/null; done
    as $user python3 "$HERE/forms.py" $user || failed=1
done
exit $failed
