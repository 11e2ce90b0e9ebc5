/** What the tables cannot say; the rest of the manual is made from them. */
export const FILES = [
  '- /etc/containers/systemd, /usr/share/containers/systemd, /run/containers/systemd | unit files of the system manager',
  '- ~/.config/containers/systemd, /etc/containers/systemd/users | unit files of user managers',
  '- /var/lib/berth | images, volumes and writable layers of root; users/UID below it for accounts without a home. What is missing of an image berth pull fetches; what is spoilt only berth system check finds, which reads all, and its --repair fetches it again',
  '- auth.json in $XDG_RUNTIME_DIR/containers or /run/containers/UID, ~/.config/containers; ~/.docker/config.json | credentials for registries: containers-auth.json(5)',
  '- /etc/containers/registries.conf, registries.conf.d, ~/.config/containers/registries.conf | mirrors, blocked registries, short names, credential helpers: containers-registries.conf(5)',
  '- /etc/containers/certs.d/HOST:PORT, ~/.config/containers/certs.d/HOST:PORT | *.crt: authorities of a registry; NAME.cert, NAME.key: our certificate for it',
  '- /etc/containers/policy.json, ~/.config/containers/policy.json | which images may be fetched, loaded and imported; signatures are not checked: what asks for one is refused',
  '- ~/.config/containers/storage.conf, /etc/containers/storage.conf | additionalimagestores: stores of Berth, of the same account, that are only read. Those of Podman are not: berth system migrate --from podman --store DIR brings their images over',
  '- /run/berth | state of running containers, gone when they stop; users/UID below it for units with User=',
];

export const UNITS = [
  'Unit files have the syntax of systemd.syntax(7). [Unit], [Service] and [Install] pass into the generated unit; the section of the type',
  'is translated into a command of berth(1). Files are searched in the directories of berth(1), below them in all subdirectories; the first of a',
  'name wins; drop-ins NAME.container.d/*.conf apply, of those with one name the one that the first of these directories has.',
  '',
  'A file that cannot be translated becomes a unit of the expected name that fails with status 78 and says file, line, column, key and',
  'what to do in its journal: systemctl status shows it. berth check says the same beforehand, and what the start of a unit would refuse in its',
  'values (a mode, mount option, address or capability that there is not), as far as systemd has nothing to expand in them. It warns of values that',
  'are of the right form and cannot be meant (a time zone or kernel parameter that this machine does not have), and of files that the units of the',
  'directories above name and that are not there. A FILE or DIR that lies in these directories is judged together with all that its manager reads, in',
  'users/UID as that account; another one with what lies in its directory and below, by the rules of the user manager when the one who asks is not root.',
  'That holds, too, for lines of [Service] with which systemd would not load the unit. What systemd 257 only passes over (an unknown key, a value of',
  'the wrong form) is a warning of berth check, and of systemd in the journal.',
  '',
  'Readiness and health: Notify=healthy makes the start wait for the first success of HealthCmd= (or of the HEALTHCHECK of the image),',
  'Notify=port:N, http:N/PATH or unix:PATH for a connection from inside the container. The same three forms may stand in HealthCmd= and',
  'HealthStartupCmd=; they start no process, and the server sees an orderly end of each. HealthStartPeriod= extends the start beyond TimeoutStartSec=. Only a change is told in the journal; berth health',
  'shows the last results. With HealthInterval=disable there are no checks but those of berth healthcheck run, and what Notify=healthy waits for. None is made while the container is paused, and what a',
  'pause met does not count. HealthOnFailure=restart stops the payload, and the unit gets Restart=always when [Service] says nothing.',
  '',
  'Pull=newer starts the image that is there when its registry cannot be asked, and says so in the journal. A registry that takes the connection and then is silent delays that start',
  'by about 50 s (two tries of 20 s without a byte, whatever Retry= says; one for each mirror), and never by more than two thirds of TimeoutStartSec=, at most 60 s, without a',
  'byte: then the image that is there is started.',
  'While bytes of an image arrive a start is given more time than its TimeoutStartSec=, and Status: of systemctl status says how far it is; so it is with an .image unit, unless NotifyAccess=none stands in its [Service].',
  '',
  'Limits for the sum of a pod are those of a slice: Slice=shop.slice in [Service] of the .pod, and MemoryMax=, TasksMax=, CPUQuota= in a unit file shop.slice',
  'of systemd (systemd.slice(5)). The members lie in it, too. Memory= and PidsLimit= of a member are within the sum; MemoryMax= in [Service] of the .pod is for the holder alone.',
  '',
  'Sandboxing in [Service] (systemd.exec(5)) works or is refused by its name, with the place in the file, or at the start for what a drop-in of the service',
  'says. SystemCallFilter= must allow @system-service @mount @privileged. Where it forbids even what is needed to say so (execve, openat, read),',
  'systemctl status shows status=31/SYS alone; berth why NAME names the option.',
];

export const DIFFERENCES = [
  '- One bad file never affects another. | Podman drops all units of the directory.',
  '- A drop-in that cannot be read makes a unit that fails and names it, since it may be what confines the container. | Podman makes the unit without it.',
  "- A user's unit files in users/UID go before those of all users, as Podman's manual has it. | Podman itself looks into the shared directory first.",
  '- Whether AddDevice=-PATH exists is seen when the container starts. | Podman sees it when its generator runs, at boot before drivers are loaded.',
  '- A reference to a unit that failed is an error that names both. | Podman writes an anonymous volume, or an empty --rootfs.',
  '- A value that is no boolean is an error. | Podman reads everything that is not yes as no.',
  '- Empty words are kept as "". | Podman writes nothing, and the next option becomes the value.',
  '- A word ; is quoted. | systemd would read it as the end of the command.',
  '- Bad escapes and open quotes are errors. | Podman drops the assignment.',
  '- A specifier that systemd does not have, and what in [Service] would keep systemd from loading the unit, is an error with its place. | With Podman systemd refuses the generated unit.',
  '- berth quadlet install writes all files or none, and a unit with a mistake only with --force. | Podman copies what it can, and looks at no content.',
  '- Account names in volumes are looked up, in /etc by the generator, in a directory service at the start. | Podman takes any name for uid 0.',
  '- Two units with one service name are reported. | Podman lets the last one win.',
  '- The order of the arguments is fixed. | In Podman it differs from run to run.',
  '- The system manager reads no users directory, and a user none of another number, below /usr/share as below /etc, nor by a link. | Podman excludes those of /etc alone.',
  '- A user without HOME has the unit files of /etc and /usr/share. | Podman ignores these, too.',
  '- The lines of a continuation are joined with a space, as systemd has it, and a comment at the end of the file loses nothing. | Podman joins them without one, and loses the assignment.',
  '- foo@bar.volume and foo@bar.network make systemd-foo-bar, p@.pod makes systemd-p-INSTANCE. | Podman cuts the last letter (systemd-foo@ba-%i), and calls the pod systemd-p@, which is no name.',
  '- Sources of mounts below a directory of systemd (%h/x) are waited for, as absolute ones are. | Podman waits for absolute ones alone.',
  '- Ports are checked: ExposeHostPort=80/sctp is one, abc80 is not, nor is PublishPort=99999:80. | Podman takes abc80, refuses sctp, and does not look at PublishPort=.',
  '- Keys that mean nothing where they stand (Image= of a .volume without Driver=image) are told. | Podman says nothing.',
  '- User= and DynamicUser= in [Service] work: the container is rootless, without user manager and session. | Podman does not support them.',
  '- Health checks are made by the relay; only changes reach the journal. | Podman starts a timer and a service for each.',
  '- The main process of the unit is the first process of the container. | In Podman it is a monitor.',
  '- Behind published ports of an account in a .network the address of the client is seen; one that belongs to a single link (fe80::/64) with the prefix fd62:6572:7468::/64. A server of IPv4 alone sees those of IPv6 as the container. They arrive over lo. Where not all ports are of TCP they arrive at an interface host0, which is then the way out, and clients of IPv6 need a server of IPv6. | Podman has a proxy, which hides it.',
  '- With UserNS= or UIDMap= of an account, /etc/hosts, /etc/hostname and /etc/resolv.conf belong to the account: inside to the kept user, or to nobody. | In Podman they are root of the container.',
  '- A published port of root is a rule of netavark. | Podman keeps a socket on it beside the rule, which nobody reads.',
  '- The name of a container that has no HostName= is its host name. | In Podman it is a number of the container.',
  '- /etc/hosts names localhost for both families, and the host name with Network=host. With Network=none or ns: it does not name the host, which cannot be reached or is not known, and AddHost=NAME:host-gateway is refused. | Podman writes an address of the host.',
  '- With pasta /etc/hosts has the host name for the addresses of both families. | In Podman for that of IPv4.',
  '- PublishPort=0.0.0.0:8080:80 of an account is a port of IPv4 alone, and one of [::] may stand beside it. | In Podman it is one of both families, and the two together fail.',
  '- AddHost= beside Network=container:NAME or NAME.container is a line of this container. | Podman refuses it.',
  '- A pod has no limits of its own (--memory, --cpus): give them to the containers, or to their slice. It always has a holder, which needs no image. | Podman gives them to the control group of the pod.',
  '- Of an account, what shares namespaces of a container (container:NAME, NAME.container) shares its users, too, and is refused with users of its own. | In Podman the users are those of the account for both.',
  '- In networks of an account the ids in /proc/self/uid_map are counted from the user namespace of the networks. | In Podman they are those of the account. On disk they are the same.',
  '- Binds, volumes and the root of the container have no devices; what is mounted of an image has no set-user-ID programs either, and is a bind when it has one layer. | Of root Podman leaves out nodev, and mounts an overlay.',
  '- In several networks the first one is the way to the host and its server of names the first that is asked. | In Podman it differs.',
  '- A user that the image has no name for is called by its number, in files that are mounted. | Podman takes the name that the number has on the host, and writes into the root of the container.',
  '- With UserNS=nomap there are no supplementary groups. | In Podman there is group 0.',
  '- UserNS=nomap and auto of a .pod of an account: members are refused by name; keep-id and UIDMap= with the account in it are possible. | Podman starts them.',
  "- Where SELinux is on, a container's level is made of its name and account, that of a member of its pod's: it is the same at each start, so that :Z walks a tree once. A home, and programs and libraries of the host at any depth, are refused with :z and :Z, and mounts below are left alone. /usr/share/berth/berth.cil says what Debian's policy lacks. | Podman draws a level by lot for each container, walks again, and refuses some directories by name.",
  '- A member of a .pod that has Slice= in [Service] lies in that slice, unless it has a Slice= of its own. | In Podman it lies in the default one.',
  '- A source of a mount that lies in another which the container may write is looked for in that one: a link that leads out is an error, and O and another runtime are refused. | Podman follows it, and :U gives away what it leads to.',
  "- A volume of the driver image, and an account's of type tmpfs, has one container that runs at a time; a second one is refused by name. | In Podman they share it.",
  '- A new volume is filled from the image as a whole: a start that was killed meanwhile is made up for by the next one, and who starts at the same time waits. | With Podman the part that is there counts.',
  '- :U leaves a tree alone whose top has the owner already, so that a start need not walk it. | Podman walks it at each start.',
  '- IPAMDriver=dhcp, of a macvlan: netavark-dhcp-proxy.service, of the package netavark, keeps the leases; a container has the same hardware address at each start, and so the same lease. | In Podman it is another each time. An unmanaged bridge may have DHCP there, too.',
  '- volume prune takes anonymous volumes alone unless --all or a filter is given, and wants --force instead of asking. | Podman asks and takes all.',
];

const UP_FILES = [
  'Without an operand the working directory is meant. A directory is installed below the directory of unit files (of the system, or of the account)',
  'under its own name, with everything in it, so that what unit files refer to lies beside them; a single unit file with its drop-ins. Files that',
  'somebody placed or changed there by hand are named and left alone, and nothing is done, unless --force is given.',
];

const UP_STATUS = [
  '- 0 | everything is as asked',
  '- 1 | a unit failed; the reasons are on standard error, the other units are up',
  '- 2 | a unit file has a mistake; nothing was done',
  '- 125 | anything else; nothing was done',
];

/** What the page of a verb says beside its options. */
export const VERB_TEXTS: Readonly<Record<string, readonly { readonly title: string; readonly lines: string[] }[]>> = {
  up: [
    {
      title: 'DESCRIPTION',
      lines: [
        ...UP_FILES,
        '',
        'The units are started in the order of their dependencies. A unit that is up is restarted only when its service, a drop-in or a file that it',
        'names changed, or when systemd restarts it with a unit that it requires. What an earlier up of the directory installed and is no',
        'longer there is stopped and removed. One that is starting is waited for; one that failed, or waits for Restart= to start it again, is started. A task (Type=oneshot) that ran to its end does not run again while its files are the same.',
      ],
    },
    { title: 'EXIT STATUS', lines: UP_STATUS },
  ],
  plan: [
    {
      title: 'DESCRIPTION',
      lines: [
        ...UP_FILES,
        '',
        'Each unit is shown with what up would do: create, start, restart, remove or nothing, and why. Nothing is changed.',
      ],
    },
    { title: 'EXIT STATUS', lines: UP_STATUS.filter(line => !line.startsWith('- 1 ')) },
  ],
  down: [
    {
      title: 'DESCRIPTION',
      lines: [
        'Stops the units that up installed from a file or directory and removes the files that it wrote; volumes, networks of units and images stay.',
        'The operand is the path that up was told, which may be gone, or the name of the directory or file. Without one the working directory is meant.',
      ],
    },
    { title: 'EXIT STATUS', lines: UP_STATUS.filter(line => !line.startsWith('- 2 ')) },
  ],
  create: [
    {
      title: 'DESCRIPTION',
      lines: [
        'Makes the container of run --detach, with its writable layer and its volumes, and runs nothing: cp, diff, export and commit work with its files.',
        'It has no unit until start makes one, as for a container that has ended. It is listed until the host is booted anew, and can be started after that.',
      ],
    },
  ],
  start: [
    {
      title: 'DESCRIPTION',
      lines: [
        'A name is that of a unit, of a container that was created, or of one that has ended and was not removed. With --attach (one container)',
        'what it writes is shown from its first line on, and its exit status is ours; a terminal is ours from the moment when we are attached.',
      ],
    },
  ],
  why: [
    {
      title: 'DESCRIPTION',
      lines: [
        'Says how the unit failed or ended, the line of its unit file that this is about, or the command that started it where there is no file, and what it wrote last.',
        'A container of run --detach that has ended has no unit any more: as long as it is not removed (rm, --rm), its own record and the journal tell the same.',
      ],
    },
    {
      title: 'EXIT STATUS',
      lines: [
        '- 0 | the unit is up',
        '- 3 | it is not, or the container has ended',
        '- 4 | there is no such unit, and no container that was kept',
        '- 125 | Berth itself failed',
      ],
    },
  ],
  'healthcheck run': [
    {
      title: 'DESCRIPTION',
      lines: [
        'The container is asked now, by the startup check as long as that has not succeeded. The result is one of those that berth health shows and',
        'counts as any other: the container becomes healthy or unhealthy by it, and HealthOnFailure= acts.',
      ],
    },
    {
      title: 'EXIT STATUS',
      lines: [
        '- 0 | well',
        '- 1 | not well: unhealthy on standard output',
        '- 125 | the check was not made: there is none, the container does not run or is paused',
      ],
    },
  ],
  update: [
    {
      title: 'DESCRIPTION',
      lines: [
        'The limits that are named change at once, the others stay. No limit is --memory 0, --memory-swap -1, --cpus 0 and --pids-limit -1;',
        '--cpu-shares 0 is the weight that a group has by itself. The next start reads the unit file again.',
      ],
    },
  ],
  logs: [
    {
      title: 'DESCRIPTION',
      lines: [
        'Shows what containers wrote since they were made, from the journal or from the files of their log driver; of one that is gone, what the journal has of its unit.',
        'With --follow it ends when all of them have ended and what they wrote is shown. A unit that is being restarted, or waits for Restart=, has not ended.',
        'The journal of a unit with LogNamespace= is read, too, also by attach, status, why and events.',
      ],
    },
  ],
  rmi: [
    {
      title: 'EXIT STATUS',
      lines: [
        '- 0 | all are removed',
        '- 1 | one is not there',
        '- 2 | one is used by a container, which may have it mounted, or by a volume',
        '- 125 | anything else; of several images that stay the greatest counts',
      ],
    },
  ],
  'system doctor': [
    {
      title: 'DESCRIPTION',
      lines: [
        'Looks at what containers need: the kernel, control groups, the place of the store, and whose generator reads unit files; for root also netavark,',
        'aardvark-dns and nft, for an account user namespaces, subordinate ids and their helpers, pasta, its user manager and lingering. What is missing',
        'or less than it could be has the command that mends it below its line. Nothing is changed.',
      ],
    },
    {
      title: 'EXIT STATUS',
      lines: [
        '- 0 | nothing is missing; warnings are no failure',
        '- 1 | something is missing',
        '- 125 | anything else',
      ],
    },
  ],
};
