/** What berth(1) says of itself as a whole. */
export const INTRODUCTION = [
  'Berth makes a container an ordinary systemd unit. A file NAME.container in /etc/containers/systemd becomes NAME.service at',
  'systemctl daemon-reload; systemctl starts, stops and restarts it, journalctl shows its output. There is no daemon.',
  '',
  'The verbs below are for the generated units, and for people: what a person starts with berth run becomes a scope or a transient service,',
  'so that systemd knows every container. One of berth run that has ended runs again, in the background, by berth start NAME, with its files; one of --rm is gone. With --restart',
  'systemd starts it again, a second after its end. After a boot nothing of it runs by itself: what is to do so is a .container with WantedBy= and Restart=.',
];

export const EXIT_STATUS = [
  '- 0 | success',
  '- 125 | Berth itself failed; one line says why',
  '- 126 | the command of the container cannot be executed',
  '- 127 | the command of the container, or a program that Berth needs, was not found',
  '- 78 | (generated units) the unit file could not be translated',
  "- any other | the payload's own; 128 + N after signal N. A unit has the payload's true status or signal.",
];

export const ENVIRONMENT = [
  '- XDG_DATA_HOME | where the images and volumes of an account are, in berth/ (default: ~/.local/share)',
  '- XDG_RUNTIME_DIR | where the state of its running containers is, in berth/',
  '- REGISTRY_AUTH_FILE | the file of credentials, instead of those below',
  '- CONTAINERS_REGISTRIES_CONF | file instead of registries.conf',
  '- HTTPS_PROXY, HTTP_PROXY, NO_PROXY | proxies on the way to registries',
  '- CONTAINERS_STORAGE_CONF | file instead of storage.conf',
  '- BERTH_IMAGE_BUDGET | of berth-image-prune.service alone, which a timer starts every day; systemctl edit it (of an account: systemctl --user edit) and write Environment=BERTH_IMAGE_BUDGET=20G. When the images are larger than that, those go that neither a container nor a unit has, the oldest first. 0, as it comes: only images go that have no name, too',
  '- QUADLET_UNIT_DIRS | colon-separated absolute directories that replace the search path of unit files',
];
