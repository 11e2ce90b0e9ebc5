import type { OpRow } from './op-row.ts';

/** The rows of ops.ts that make the root file system, in the order of native/tiny/ops.h. */
export const ROOT_OPS = [
  {
    name: 'propagation',
    fields: ['path', 'flags'],
    help: 'mount propagation of a path (of the old root before pivot): private, slave, shared, unbindable; r for recursive',
  },
  {
    name: 'id-map',
    fields: ['text'],
    help: 'a user namespace with the maps `inside outside count,…;inside outside count,…` (uids; gids) for binds to name by its number, the first is 0; before the root is made, since the kernel makes none where the root is covered',
  },
  {
    name: 'id-map-at',
    fields: ['path', 'text'],
    help: 'mount a directory of the host over itself through the `id-map` of this number; in a mount namespace of our own, before the root is made',
  },
  {
    name: 'root-overlay',
    fields: ['path', 'path', 'flags', 'text', 'path'],
    rest: true,
    help: 'new root from overlayfs: upper, work (both empty: read-only), flags (userxattr, volatile, metacopy; legacy forces mount(2); detached waits for `root-attach`), mount context, then lower directories, top first',
  },
  { name: 'root-bind', fields: ['path', 'flags'], help: 'new root from a directory (flags: r recursive, detached)' },
  {
    name: 'root-attach',
    fields: [],
    help: 'attach the root that was made with the flag detached',
  },
  {
    name: 'root-remount',
    fields: ['flags'],
    help: 'attributes on the root mount: ro, nosuid, nodev, noexec (mount_setattr)',
  },
  { name: 'remount', fields: ['target', 'flags'], help: 'attributes on the mount at a path, not on those below it' },
  {
    name: 'check-root',
    fields: ['target'],
    rest: true,
    help: 'each target, when it exists, is a directory and not a link; else fail naming it (T7)',
  },
  {
    name: 'mkdir',
    fields: ['target', 'octal', 'int', 'int'],
    help: 'create with missing parents (0755), mode, uid, gid; an existing directory stays as it is',
  },
  {
    name: 'mount-point',
    fields: ['target', 'flags'],
    help: 'create an empty directory or file (flag dir or file) where nothing is, with parents; what exists stays',
  },
  {
    name: 'mount',
    fields: ['text', 'text', 'target', 'flags', 'text'],
    help: 'fsopen/fsconfig/fsmount: type, source, target, attributes (ro,nosuid,nodev,noexec,relatime,noatime,strictatime,nodiratime,nosymfollow), comma-separated fs options (backslash escapes a comma)',
  },
  {
    name: 'mount-below',
    fields: ['text', 'text', 'target', 'flags', 'text', 'text'],
    help: 'as `mount`, but what the last field names in the file system is mounted, found as in `bind-below`',
  },
  {
    name: 'mount-host',
    fields: ['text', 'target', 'flags'],
    help: "proc, sysfs or cgroup2 where a fresh one may be refused: fsopen; on EPERM open_tree of the host's with AT_RECURSIVE, read-only by mount_setattr with AT_RECURSIVE",
  },
  {
    name: 'bind',
    fields: ['path', 'target', 'flags', 'text'],
    help: 'open_tree(OPEN_TREE_CLONE, AT_RECURSIVE with flag r) of a host path, attributes (ro, rro, nosuid, nodev, noexec, …, private|slave|shared|…; source-dir/source-file refuse another kind; create makes a missing source directory; point, here and in the other mounts, makes an empty target of the right kind), attach by descriptor (T3); text: number of an `id-map` for MOUNT_ATTR_IDMAP (flag ridmap: all below too) or empty',
  },
  {
    name: 'bind-below',
    fields: ['path', 'text', 'text', 'target', 'flags', 'text'],
    help: 'as `bind`, but of a part of the first field: what the second names in it, links followed, must lie in it; the third is looked for below that, by openat2 with RESOLVE_IN_ROOT (T3); either may be empty',
  },
  {
    name: 'chown-tree',
    fields: ['path', 'int', 'int'],
    help: 'give a directory of the host and all below it to uid and gid, by descriptors, following no link; nothing where the top has that owner',
  },
  {
    name: 'chown-below',
    fields: ['path', 'text', 'int', 'int'],
    help: 'as `chown-tree`, but of what the second field names in the first, found as in `bind-below`',
  },
  {
    name: 'label-tree',
    fields: ['path', 'text'],
    help: 'give a file or directory of the host, named without links, and all below it on its own mount an SELinux context, following no link; nothing where the top has it',
  },
  {
    name: 'keep',
    fields: ['path', 'text', 'text', 'flags', 'text'],
    help: 'the mount of `bind` or, where the second or third field is not empty, of `bind-below`, kept for `attach`, which names it by its number, the first is 0: for what cannot be reached from the user namespace that is made next',
  },
  {
    name: 'keep-mount',
    fields: ['text', 'text', 'flags', 'text', 'text'],
    help: 'as `mount` or, where the last field is not empty, `mount-below`, but kept for `attach`',
  },
  {
    name: 'attach',
    fields: ['int', 'target', 'flags'],
    help: 'attach a kept mount by its number; flags as in `bind` (point)',
  },
  {
    name: 'bind-fd',
    fields: ['fd', 'target', 'flags'],
    help: 'attach a detached mount or open file which the launcher made',
  },
  {
    name: 'tmpfs-copyup',
    fields: ['target', 'text', 'flags'],
    help: 'tmpfs whose content is first copied from the directory it covers, below the root only (T16)',
  },
  {
    name: 'copy-up',
    fields: ['path', 'target', 'int', 'int', 'text'],
    help: 'fill an empty volume (a host directory): it is given to uid and gid (-1: stays), then has the image content at target (empty: nothing), whole or not at all: modes, owners, links, xattrs; by openat2 below the root (T16); one that lasts is locked by the last path (empty: none) and reaches the disk',
  },
  {
    name: 'device',
    fields: ['target', 'text', 'int', 'int', 'octal', 'int', 'int'],
    help: 'c or b, major, minor, mode, uid, gid: mknod, or on EPERM the host node of the same name verified by st_rdev and bound by descriptor',
  },
  { name: 'symlink', fields: ['text', 'target'], help: 'link text, path; an existing entry stays' },
  {
    name: 'write-file',
    fields: ['target', 'octal', 'text'],
    help: 'new file in one of our own mounts (never over a link)',
  },
  { name: 'pivot', fields: [], help: 'pivot_root(".", "."), detach the old root, chdir /' },
  {
    name: 'mask',
    fields: ['path'],
    help: 'after pivot: cover with /dev/null of a private tmpfs (verified 1:3) or one shared empty read-only directory, by descriptor (T4); absent: nothing',
  },
  {
    name: 'read-only',
    fields: ['path'],
    help: 'after pivot: bind the path on itself and make it read-only, recursively; absent: nothing',
  },
  {
    name: 'sysctl',
    fields: ['text', 'text'],
    help: 'dotted key and value, through a private fsopen procfs verified by fstatfs, RESOLVE_NO_XDEV and RESOLVE_NO_SYMLINKS (T6)',
  },
  {
    name: 'remove-tree',
    fields: ['path'],
    help: 'remove a directory tree of the old root by descriptors, never following a link, in directories without permission too; absent: nothing. A list may end with it instead of exec: exit 0',
  },
] as const satisfies readonly OpRow[];
