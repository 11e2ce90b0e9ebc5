# Another machine for tests of networks: the namespace `far` (192.0.2.50, 2001:db8:77::50), which is also the way to everywhere; this one is
# 192.0.2.1 and 2001:db8:77::1 there. far makes it, no_far takes it away.
# shellcheck shell=bash
far() {
    ip netns add far && ip link add out0 type veth peer name out1 netns far
    ip addr add 192.0.2.1/24 dev out0 && ip link set out0 up && ip route add default via 192.0.2.50
    ip -n far addr add 192.0.2.50/24 dev out1 && ip -n far link set out1 up
    ip addr add 2001:db8:77::1/64 dev out0 nodad && ip -n far addr add 2001:db8:77::50/64 dev out1 nodad
    [ -e /etc/resolv.conf ] || echo 'nameserver 192.0.2.50' >/etc/resolv.conf
}
no_far() {
    ip netns pids far | xargs -r kill
    ip netns del far
    umount /run/netns # ip(8) made it
    ip link del out0 2>/dev/null
    ! grep -qx 'nameserver 192.0.2.50' /etc/resolv.conf || rm /etc/resolv.conf
}
