/** The unit that holds the network namespace of an account's networks, in its user manager; `berth-netns@UID.service` in the system's. */
export const NAMESPACE_UNIT = 'berth-netns.service';

const OTHERS = ['', 'default', 'private', 'none', 'host', 'pasta', 'slirp4netns', 'container', 'ns'];

/** Whether a value of `--network` names a network (`bridge` is one, too), so that netavark is asked; for root that is the default as well. */
export function isNamedNetwork(value: string): boolean {
  const colon = value.indexOf(':');
  return !OTHERS.includes(colon < 0 ? value : value.slice(0, colon));
}
