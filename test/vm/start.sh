#!/bin/sh
# The first lines of what a virtual machine's systemd.run= executes, for test/vm/run.sh and test/soak/selinux.sh: the package and the
# tests lie on the third disk, what is said goes to the second serial line.
exec >/dev/ttyS1 2>&1 </dev/null
mkdir -p /run/parcel /var/lib/images
mount -o remount,rw /
tar -C /run/parcel -xf /dev/vdc
cp -a /run/parcel/images/. /var/lib/images/
ip link set lo up
dpkg --install /run/parcel/berth.deb >/run/parcel/dpkg.log 2>&1 || { cat /run/parcel/dpkg.log; echo "not ok - the package is installed"; }
modprobe -a overlay tun fuse
systemctl start multi-user.target user@1000.service
systemctl list-units --failed --plain --no-legend
echo "@@ up for $(cut -d. -f1 /proc/uptime) s"
