import type { Page } from './roff.ts';

/** berth-systemd(7): what systemd's own programs print of a container, as they printed it (Debian 13, systemd 257, SYSTEMD_UTF8=0). */
export function systemdPage(): Page {
  return {
    name: 'berth-systemd',
    section: 7,
    purpose: "containers as systemd's own programs show them",
    parts: [
      { title: 'DESCRIPTION', lines: DESCRIPTION },
      { title: 'SYSTEMCTL STATUS', lines: STATUS },
      { title: 'SYSTEMD-CGLS', lines: GROUPS },
      { title: 'SYSTEMD-ANALYZE VERIFY', lines: VERIFY },
      { title: 'SYSTEMD-ANALYZE SECURITY', lines: SECURITY },
      { title: 'SYSTEMD-ANALYZE CRITICAL-CHAIN', lines: CHAIN },
      { title: 'JOURNALCTL', lines: JOURNAL },
      {
        title: 'SEE ALSO',
        lines: ['berth(1), berth-status(1), berth-why(1), berth.unit(5), systemctl(1), systemd-analyze(1)'],
      },
    ],
  };
}

const DESCRIPTION = [
  'A container is a service: what shows services shows containers. The examples are of this file,',
  'web.container:',
  '',
  '  [Unit]',
  '  Description=Web server',
  '',
  '  [Container]',
  '  Image=localhost/busybox',
  '  Network=none',
  '  Exec=httpd -f -p 8080 -h /',
  '  ReadOnly=true',
  '  HealthCmd=true',
  '  Notify=healthy',
];

const STATUS = [
  'Loaded: names the file that was written by hand. Main PID: is the first process of the container itself. Status: is the last word of',
  'the container, or of its health.',
  '',
  '  * web.service - Web server',
  '       Loaded: loaded (/etc/containers/systemd/web.container; generated)',
  '       Active: active (running) since Sat 2026-11-21 20:10:10 UTC; 2s ago',
  '   Invocation: bb3c10366261450f87545bfb31e8cc2d',
  '     Main PID: 48322 (httpd)',
  '       Status: "healthy"',
  '          CPU: 34ms',
  '       CGroup: /system.slice/web.service',
  '               |-payload',
  '               | `-48322 httpd -f -p 8080 -h /',
  '               `-supervisor',
  '                 |-48323 berth-relay',
  '                 `-48327 berth-relay',
  '',
  '  20:10:10 systemd[1]: Starting web.service - Web server...',
  '  20:10:10 web[48323]: berth: container systemd-web runs, from localhost/busybox',
  '  20:10:10 web[48323]: berth: health: healthy',
  '  20:10:10 systemd[1]: Started web.service - Web server.',
];

const GROUPS = [
  'payload/ holds the processes of the container, and its limits count there; supervisor/ holds what is ours.',
  '',
  '  Unit web.service (/system.slice/web.service):',
  '  |-payload',
  '  | `-48322 httpd -f -p 8080 -h /',
  '  `-supervisor',
  '    |-48323 berth-relay',
  '    `-48327 berth-relay',
];

const VERIFY = [
  '"systemd-analyze verify /run/systemd/generator/web.service" prints nothing and ends with 0: what is generated has no mistake. Mistakes',
  'in web.container are what berth-check(1) finds.',
];

const SECURITY = [
  'This program looks at the sandbox that systemd makes for a service, and knows nothing of namespaces, capabilities and filters that the',
  'service makes for itself. So it says the same of every container of root, however it is confined:',
  '',
  '  -> Overall exposure level for web.service: 9.8 UNSAFE :-{',
  '',
  'How a container is confined is in berth-inspect(1), HostConfig. User= in [Service] takes the privileges of root from everything that belongs to the',
  'container, and is what this program counts.',
];

const CHAIN = [
  'The time behind + is that of the whole start: until the container was ready, as Notify= has it, a pull included.',
  '',
  '  web.service +88ms',
  '  `-basic.target @1.384s',
  '    `-sockets.target @1.383s',
];

const JOURNAL = [
  'With -x the entries that are ours are explained.',
  '',
  '  20:10:10 web[48323]: berth: health: healthy',
  '  -- Subject: Container systemd-web is healthy',
  '  -- Defined-By: Berth',
  '  -- Documentation: man:berth-health(1) man:berth.unit(5)',
  '  --',
  '  -- The checks of the container systemd-web (HealthCmd= of its unit file, or the',
  '  -- HEALTHCHECK of its image) have a new result: healthy. Only changes are',
  '  -- told. "berth health systemd-web" shows the last results with their output.',
];
