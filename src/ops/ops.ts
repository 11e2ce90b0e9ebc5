import type { Bytes } from '../host/host.ts';
import type { OpRow } from './op-row.ts';
import { ROOT_OPS } from './ops-root.ts';

/**
 * The operations that the stage (native/tiny/stage*.c) plays inside the new namespaces, in order.
 *
 * An operation is a name and its fields, all byte strings. The list is flat; order is everything.
 * The table below is the contract: TypeScript compiles to it, C has one `case` per row, and a unit
 * test compares the rows with the C table (`native/tiny/ops.h`).
 *
 * Encoding (encode.ts, native/tiny/ops.c): the bytes `BERTHOPS1\n`, then for each operation a
 * u32 little-endian length of the record, then the record: name NUL field NUL field NUL … (every
 * part ends with NUL; the length counts them all). Limits: record 1 MiB, list 16 MiB, 64 fields, 65536 where the
 * last may be repeated. A list that breaks a rule is refused before anything is played.
 * A list without `exec` ends with exit status 0 (removal of a tree, for example).
 *
 * Field kinds: `path` absolute, no NUL; `target` absolute and resolved in the new root by openat2 with
 * RESOLVE_IN_ROOT; `int` decimal, may be negative; `octal`; `hex` (64 bit); `fd` index of a launch descriptor
 * (stage number 70 + index); `text` anything; `flags` comma-separated words named by the operation.
 */
export const OPS = [
  // processes and namespaces
  {
    name: 'become-root',
    fields: [],
    help: 'setgroups() where allowed, setresgid 0, setresuid 0 in the user namespace',
  },
  {
    name: 'sync',
    fields: ['text'],
    help: 'send `at NAME` on the control socket and wait for `go NAME`; its end of file exits 125',
  },
  {
    name: 'send-fd',
    fields: ['text', 'text'],
    help: 'open what the first field names (netns, mntns, userns, root, console; shm: a clone of the mount at /dev/shm) and send it with message `fd NAME` by SCM_RIGHTS',
  },
  {
    name: 'setns',
    fields: ['fd', 'hex'],
    help: 'setns(2) with the CLONE_NEW* bits; after a pid namespace a `fork` must follow',
  },
  { name: 'unshare', fields: ['hex'], help: 'unshare(2): the cgroup namespace, after the process is in its cgroup' },
  { name: 'nest', fields: ['text'], help: 'user namespace below the joined one; maps as `id-map`, in ids of that one' },
  {
    name: 'fork',
    fields: [],
    help: 'go on in a child made with CLONE_PARENT; send `pid N` (outer pid) with its pidfd and leave the first process',
  },
  { name: 'session', fields: [], help: 'setsid()' },
  {
    name: 'console',
    fields: ['int', 'int'],
    help: 'allocate a pty from the new /dev/pts, make it the controlling terminal and descriptors 0-2, owner uid gid, send the master as `fd console`, bind it over /dev/console (T5)',
  },
  {
    name: 'await',
    fields: ['fd'],
    help: 'wait for one byte from a descriptor (a FIFO that `oci start` writes); its end exits 125',
  },
  { name: 'loopback-up', fields: [], help: 'bring lo up' },
  { name: 'bridge-unplug', fields: ['text'], help: 'delete the interfaces on a bridge; a missing one has none' },
  { name: 'hostname', fields: ['text'], help: 'sethostname' },
  { name: 'domainname', fields: ['text'], help: 'setdomainname' },
  { name: 'pdeathsig', fields: ['int'], help: 'prctl PR_SET_PDEATHSIG' },
  ...ROOT_OPS,
  // the process
  { name: 'umask', fields: ['octal'], help: 'umask(2)' },
  {
    name: 'rlimit',
    fields: ['int', 'text', 'text'],
    help: 'resource number, soft, hard (decimal or `unlimited`); a hard limit above ours that the kernel refuses is an error, with `?` behind it becomes ours',
  },
  { name: 'oom-score-adj', fields: ['int'], help: 'through the verified procfs' },
  {
    name: 'keyring',
    fields: ['text'],
    help: 'join a new session keyring of this name; ENOSYS, EPERM, EDQUOT are tolerated',
  },
  {
    name: 'label',
    fields: ['text', 'text'],
    help: 'security label at exec: apparmor NAME or selinux CONTEXT through the verified procfs; a failure is an error (T9)',
  },
  {
    name: 'capabilities',
    fields: ['hex', 'hex', 'hex', 'hex', 'hex'],
    help: 'bounding, permitted, effective, inheritable, ambient: drops the bounding set now, the rest after `user`',
  },
  {
    name: 'user',
    fields: ['int', 'int', 'int'],
    rest: true,
    help: 'uid, gid, supplementary groups… (a single -1: keep ours); setgroups always where allowed (T12); keeps capabilities over the change, applies the sets of `capabilities`',
  },
  { name: 'no-new-privileges', fields: [], help: 'prctl PR_SET_NO_NEW_PRIVS' },
  {
    name: 'seccomp',
    fields: ['text', 'text'],
    help: 'BPF program, its bytes 00 and 01 written as 01 02 and 01 01; flags (log, spec-allow, tsync); without no-new-privileges loaded while CAP_SYS_ADMIN is there, the sets of `capabilities` after it',
  },
  {
    name: 'cwd',
    fields: ['path', 'octal', 'int', 'int'],
    help: 'chdir after pivot as the payload; created when missing, unless the mode is 0; getcwd must lie inside the root (T2)',
  },
  { name: 'environment', fields: ['text'], rest: true, help: 'the whole environment, NAME=VALUE…' },
  {
    name: 'listen',
    fields: ['fd'],
    rest: true,
    help: 'descriptors that become 3, 4, … of the payload (LISTEN_FDS); LISTEN_PID in the environment is set to its own pid',
  },
  { name: 'hold', fields: [], help: 'become the holder of a pod: a program of one page that waits for SIGTERM' },
  { name: 'init', fields: [], help: 'stay as pid 1: fork the exec, forward signals, reap, end with its status' },
  {
    name: 'watch',
    fields: ['path'],
    help: 'as init, for another OCI runtime with this bundle: its runtime.pid tells that the payload runs, an error in runtime.log makes 126 or 127',
  },
  {
    name: 'exec',
    fields: ['text', 'text'],
    rest: true,
    help: 'PATH for the look-up, then argv: close every other descriptor, exec; 127 not found, 126 not executable',
  },
] as const satisfies readonly OpRow[];

export type OpName = (typeof OPS)[number]['name'];

/** One operation: its name and fields. */
export interface Op {
  readonly name: OpName;
  readonly fields: readonly Bytes[];
}
