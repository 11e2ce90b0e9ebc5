/*
 * The operations: the same rows, in the same order, as src/ops/ops.ts (a unit test compares them).
 * X(function, name, fields, rest): one letter a field: p path, g target, i int, o octal, h hex, d fd, t text, f flags;
 * rest 1: the last field may be repeated 0..n times.
 */
#ifndef BERTH_TINY_OPS_H
#define BERTH_TINY_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define BERTH_OPS(X) \
    /* setgroups() where allowed, setresgid 0, setresuid 0 in the user namespace */ \
    X(become_root, "become-root", "", 0) \
    /* send `at NAME` on the control socket and wait for `go NAME`; its end of file exits 125 */ \
    X(sync, "sync", "t", 0) \
    /* open what the first field names (netns, mntns, userns, root, console; shm: a clone of the mount at /dev/shm) and send it with message `fd NAME` by SCM_RIGHTS */ \
    X(send_fd, "send-fd", "tt", 0) \
    /* setns(2) with the CLONE_NEW* bits; after a pid namespace a `fork` must follow */ \
    X(setns, "setns", "dh", 0) \
    /* unshare(2): the cgroup namespace, after the process is in its cgroup */ \
    X(unshare, "unshare", "h", 0) \
    /* user namespace below the joined one; maps as `id-map`, in ids of that one */ \
    X(nest, "nest", "t", 0) \
    /* go on in a child made with CLONE_PARENT; send `pid N` (outer pid) with its pidfd and leave the first process */ \
    X(fork, "fork", "", 0) \
    /* setsid() */ \
    X(session, "session", "", 0) \
    /* allocate a pty from the new /dev/pts, make it the controlling terminal and descriptors 0-2, owner uid gid, send the master as `fd console`, bind it over /dev/console (T5) */ \
    X(console, "console", "ii", 0) \
    /* wait for one byte from a descriptor (a FIFO that `oci start` writes); its end exits 125 */ \
    X(await, "await", "d", 0) \
    /* bring lo up */ \
    X(loopback_up, "loopback-up", "", 0) \
    /* delete the interfaces on a bridge; a missing one has none */ \
    X(bridge_unplug, "bridge-unplug", "t", 0) \
    /* sethostname */ \
    X(hostname, "hostname", "t", 0) \
    /* setdomainname */ \
    X(domainname, "domainname", "t", 0) \
    /* prctl PR_SET_PDEATHSIG */ \
    X(pdeathsig, "pdeathsig", "i", 0) \
    /* mount propagation of a path (of the old root before pivot): private, slave, shared, unbindable; r for recursive */ \
    X(propagation, "propagation", "pf", 0) \
    /* a user namespace with the maps `inside outside count,…;inside outside count,…` (uids; gids) for binds to name by its number, the first is 0; before the root is made, since the kernel makes none where the root is covered */ \
    X(id_map, "id-map", "t", 0) \
    /* mount a directory of the host over itself through the `id-map` of this number; in a mount namespace of our own, before the root is made */ \
    X(id_map_at, "id-map-at", "pt", 0) \
    /* new root from overlayfs: upper, work (both empty: read-only), flags (userxattr, volatile, metacopy; legacy forces mount(2); detached waits for `root-attach`), mount context, then lower directories, top first */ \
    X(root_overlay, "root-overlay", "ppftp", 1) \
    /* new root from a directory (flags: r recursive, detached) */ \
    X(root_bind, "root-bind", "pf", 0) \
    /* attach the root that was made with the flag detached */ \
    X(root_attach, "root-attach", "", 0) \
    /* attributes on the root mount: ro, nosuid, nodev, noexec (mount_setattr) */ \
    X(root_remount, "root-remount", "f", 0) \
    /* attributes on the mount at a path, not on those below it */ \
    X(remount, "remount", "gf", 0) \
    /* each target, when it exists, is a directory and not a link; else fail naming it (T7) */ \
    X(check_root, "check-root", "g", 1) \
    /* create with missing parents (0755), mode, uid, gid; an existing directory stays as it is */ \
    X(mkdir, "mkdir", "goii", 0) \
    /* create an empty directory or file (flag dir or file) where nothing is, with parents; what exists stays */ \
    X(mount_point, "mount-point", "gf", 0) \
    /* fsopen/fsconfig/fsmount: type, source, target, attributes (ro,nosuid,nodev,noexec,relatime,noatime,strictatime,nodiratime,nosymfollow), comma-separated fs options (backslash escapes a comma) */ \
    X(mount, "mount", "ttgft", 0) \
    /* as `mount`, but what the last field names in the file system is mounted, found as in `bind-below` */ \
    X(mount_below, "mount-below", "ttgftt", 0) \
    /* proc, sysfs or cgroup2 where a fresh one may be refused: fsopen; on EPERM open_tree of the host's with AT_RECURSIVE, read-only by mount_setattr with AT_RECURSIVE */ \
    X(mount_host, "mount-host", "tgf", 0) \
    /* open_tree(OPEN_TREE_CLONE, AT_RECURSIVE with flag r) of a host path, attributes (ro, rro, nosuid, nodev, noexec, …, private|slave|shared|…; source-dir/source-file refuse another kind; create makes a missing source directory; point, here and in the other mounts, makes an empty target of the right kind), attach by descriptor (T3); text: number of an `id-map` for MOUNT_ATTR_IDMAP (flag ridmap: all below too) or empty */ \
    X(bind, "bind", "pgft", 0) \
    /* as `bind`, but of a part of the first field: what the second names in it, links followed, must lie in it; the third is looked for below that, by openat2 with RESOLVE_IN_ROOT (T3); either may be empty */ \
    X(bind_below, "bind-below", "pttgft", 0) \
    /* give a directory of the host and all below it to uid and gid, by descriptors, following no link; nothing where the top has that owner */ \
    X(chown_tree, "chown-tree", "pii", 0) \
    /* as `chown-tree`, but of what the second field names in the first, found as in `bind-below` */ \
    X(chown_below, "chown-below", "ptii", 0) \
    /* give a file or directory of the host, named without links, and all below it on its own mount an SELinux context, following no link; nothing where the top has it */ \
    X(label_tree, "label-tree", "pt", 0) \
    /* the mount of `bind` or, where the second or third field is not empty, of `bind-below`, kept for `attach`, which names it by its number, the first is 0: for what cannot be reached from the user namespace that is made next */ \
    X(keep, "keep", "pttft", 0) \
    /* as `mount` or, where the last field is not empty, `mount-below`, but kept for `attach` */ \
    X(keep_mount, "keep-mount", "ttftt", 0) \
    /* attach a kept mount by its number; flags as in `bind` (point) */ \
    X(attach, "attach", "igf", 0) \
    /* attach a detached mount or open file which the launcher made */ \
    X(bind_fd, "bind-fd", "dgf", 0) \
    /* tmpfs whose content is first copied from the directory it covers, below the root only (T16) */ \
    X(tmpfs_copyup, "tmpfs-copyup", "gtf", 0) \
    /* fill an empty volume (a host directory): it is given to uid and gid (-1: stays), then has the image content at target (empty: nothing), whole or not at all: modes, owners, links, xattrs; by openat2 below the root (T16); one that lasts is locked by the last path (empty: none) and reaches the disk */ \
    X(copy_up, "copy-up", "pgiit", 0) \
    /* c or b, major, minor, mode, uid, gid: mknod, or on EPERM the host node of the same name verified by st_rdev and bound by descriptor */ \
    X(device, "device", "gtiioii", 0) \
    /* link text, path; an existing entry stays */ \
    X(symlink, "symlink", "tg", 0) \
    /* new file in one of our own mounts (never over a link) */ \
    X(write_file, "write-file", "got", 0) \
    /* pivot_root(".", "."), detach the old root, chdir / */ \
    X(pivot, "pivot", "", 0) \
    /* after pivot: cover with /dev/null of a private tmpfs (verified 1:3) or one shared empty read-only directory, by descriptor (T4); absent: nothing */ \
    X(mask, "mask", "p", 0) \
    /* after pivot: bind the path on itself and make it read-only, recursively; absent: nothing */ \
    X(read_only, "read-only", "p", 0) \
    /* dotted key and value, through a private fsopen procfs verified by fstatfs, RESOLVE_NO_XDEV and RESOLVE_NO_SYMLINKS (T6) */ \
    X(sysctl, "sysctl", "tt", 0) \
    /* remove a directory tree of the old root by descriptors, never following a link, in directories without permission too; absent: nothing. A list may end with it instead of exec: exit 0 */ \
    X(remove_tree, "remove-tree", "p", 0) \
    /* umask(2) */ \
    X(umask, "umask", "o", 0) \
    /* resource number, soft, hard (decimal or `unlimited`); a hard limit above ours that the kernel refuses is an error, with `?` behind it becomes ours */ \
    X(rlimit, "rlimit", "itt", 0) \
    /* through the verified procfs */ \
    X(oom_score_adj, "oom-score-adj", "i", 0) \
    /* join a new session keyring of this name; ENOSYS, EPERM, EDQUOT are tolerated */ \
    X(keyring, "keyring", "t", 0) \
    /* security label at exec: apparmor NAME or selinux CONTEXT through the verified procfs; a failure is an error (T9) */ \
    X(label, "label", "tt", 0) \
    /* bounding, permitted, effective, inheritable, ambient: drops the bounding set now, the rest after `user` */ \
    X(capabilities, "capabilities", "hhhhh", 0) \
    /* uid, gid, supplementary groups… (a single -1: keep ours); setgroups always where allowed (T12); keeps capabilities over the change, applies the sets of `capabilities` */ \
    X(user, "user", "iii", 1) \
    /* prctl PR_SET_NO_NEW_PRIVS */ \
    X(no_new_privileges, "no-new-privileges", "", 0) \
    /* BPF program, its bytes 00 and 01 written as 01 02 and 01 01; flags (log, spec-allow, tsync); without no-new-privileges loaded while CAP_SYS_ADMIN is there, the sets of `capabilities` after it */ \
    X(seccomp, "seccomp", "tt", 0) \
    /* chdir after pivot as the payload; created when missing, unless the mode is 0; getcwd must lie inside the root (T2) */ \
    X(cwd, "cwd", "poii", 0) \
    /* the whole environment, NAME=VALUE… */ \
    X(environment, "environment", "t", 1) \
    /* descriptors that become 3, 4, … of the payload (LISTEN_FDS); LISTEN_PID in the environment is set to its own pid */ \
    X(listen, "listen", "d", 1) \
    /* become the holder of a pod: a program of one page that waits for SIGTERM */ \
    X(hold, "hold", "", 0) \
    /* stay as pid 1: fork the exec, forward signals, reap, end with its status */ \
    X(init, "init", "", 0) \
    /* as init, for another OCI runtime with this bundle: its runtime.pid tells that the payload runs, an error in runtime.log makes 126 or 127 */ \
    X(watch, "watch", "p", 0) \
    /* PATH for the look-up, then argv: close every other descriptor, exec; 127 not found, 126 not executable */ \
    X(exec, "exec", "tt", 1)
/* clang-format on */

#define BERTH_OP_NUMBER(function, name, fields, rest) OP_##function,
enum op_number { BERTH_OPS(BERTH_OP_NUMBER) OP_COUNT };
#undef BERTH_OP_NUMBER

struct op_row {
    const char *name;
    const char *fields;
    bool rest;
};
extern const struct op_row op_rows[OP_COUNT];

/* One decoded operation: `number` indexes op_rows; field i is fields[i], a NUL-terminated string inside the list. */
struct op {
    unsigned number;
    unsigned count;
    const char **fields;
};

/* The encoded list: read-only bytes; `at` is the next record. */
struct ops {
    const char *data;
    size_t length;
    size_t at;
};

enum {
    OPS_MAX_LIST = 16 << 20,
    OPS_MAX_RECORD = 1 << 20,
    OPS_MAX_FIELDS = 64,
    OPS_MAX_REST = 65536,
};

/* Checks the head. False: not a list. */
bool ops_open(struct ops *ops, const char *data, size_t length);

enum ops_next { OPS_OP, OPS_END, OPS_BAD };

/*
 * The next operation. Its fields point into `room`, which must hold OPS_MAX_REST + 1 pointers or be NULL: then only the
 * count is given (op->fields stays NULL). After the last field stands a NULL pointer. Kinds of fields are checked.
 * OPS_BAD: *why says what is wrong.
 */
enum ops_next ops_next(struct ops *ops, struct op *op, const char **room, const char **why);

#endif
