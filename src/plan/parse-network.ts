import { problem } from '../base/problem.ts';
import { bad, type Draft } from './draft.ts';
import { isAddress, isAddress4, isAddress6 } from './parse-ports.ts';
import { isName } from './parse-values.ts';

/** `--add-host NAME[;NAME…]:ADDRESS`; `host-gateway` is the host as the container sees it. */
export function parseAddHost(draft: Draft, value: string): void {
  const at = value.indexOf(':');
  const names = value.slice(0, Math.max(at, 0));
  const address = at < 0 ? '' : value.slice(at + 1);
  const plain = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
  if (names === '' || plain === '') return bad(draft, 'add-host', value, 'not understood', 'write NAME:ADDRESS');
  if (plain !== 'host-gateway' && !isAddress(plain))
    return bad(draft, 'add-host', value, `${plain} is not an IP address`);
  for (const name of names.split(';')) {
    if (!isHostName(name)) return bad(draft, 'add-host', value, `${name} is not a host name`);
    draft.request.addHosts.push({ name, address: plain });
  }
}

/** `--dns ADDRESS`, or `none` to keep the image's resolv.conf. */
export function parseDns(draft: Draft, value: string): void {
  if (value !== 'none' && !isAddress(value)) return bad(draft, 'dns', value, 'not an IP address');
  draft.request.dns.push(value);
}

/** `--dns-option` and `--dns-search`: one word that cannot add a line to resolv.conf. */
export function parseDnsWord(draft: Draft, option: string, value: string, into: string[]): void {
  if (value === '' || /[\0-\x20\x7f]/.test(value)) return bad(draft, option, value, 'it must be one word');
  into.push(value);
}

/** `--hostname`: at most 64 bytes (sethostname(2)), letters, digits, dots and hyphens. */
export function parseHostname(draft: Draft, value: string): void {
  if (value.length > 64 || !isHostName(value)) {
    return bad(draft, 'hostname', value, 'not a host name', 'use at most 64 letters, digits, dots and hyphens');
  }
  draft.request.hostname = value;
}

export function isHostName(text: string): boolean {
  if (text === '' || text.length > 253) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const alphanumeric = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
    if (!alphanumeric && c !== 45 && c !== 46 && c !== 95) return false;
  }
  return text[0] !== '-' && text[0] !== '.';
}

/** `--network MODE[:OPTIONS]`; networks of one start are checked together by `finishNetworks`. */
export function parseNetwork(draft: Draft, value: string): void {
  const mode = value.split(':')[0] ?? '';
  if (mode === '' || (!isName(mode) && !value.startsWith('ns:/'))) {
    return bad(
      draft,
      'network',
      value,
      'not understood',
      'use none, host, pasta, bridge, a name, container:NAME or ns:PATH',
    );
  }
  if (mode === 'slirp4netns') return bad(draft, 'network', value, 'slirp4netns is not supported', 'use pasta');
  draft.request.networks.push(value);
}

const ALONE = ['none', 'host', 'pasta', 'private', 'container', 'ns'];

/** --ip, --ip6 and --mac-address belong to the one network; some modes stand alone; some forbid ports. */
export function finishNetworks(draft: Draft): void {
  const { request, ip } = draft;
  const alone = request.networks.find(value => ALONE.includes(value.split(':')[0] ?? ''));
  if (alone !== undefined && request.networks.length > 1) {
    return bad(draft, 'network', alone, 'it cannot be combined with another network');
  }
  const words: string[] = [];
  if (ip.ip !== undefined) words.push(`ip=${ip.ip}`);
  if (ip.ip6 !== undefined) words.push(`ip6=${ip.ip6}`);
  if (ip.mac !== undefined) words.push(`mac=${ip.mac}`);
  if (words.length === 0) return;
  const [first = 'bridge'] = request.networks;
  if (alone !== undefined || request.networks.length > 1) {
    return bad(
      draft,
      'ip',
      words.join(','),
      'an address needs exactly one network that gives addresses',
      'use --network bridge',
    );
  }
  request.networks = [`${first}${first.includes(':') ? ',' : ':'}${words.join(',')}`];
}

/** Modes in which the container's network is nobody's, or somebody else's: nothing can be published there. */
export const WITHOUT_PORTS = ['host', 'none', 'container', 'ns'];

/** What a network that is absent or another's cannot give: as the peer refuses it, or starts without it and says so. */
export function checkWithNetwork({ request, problems }: Draft): void {
  const mode = request.networks[0]?.split(':')[0] ?? '';
  const conflict = (text: string, hint = 'leave one of the two out'): void => {
    problems.push(problem('option-conflict', text, { hint }));
  };
  const leftOut = (option: string, what: string): void => {
    request.leftOut.push({ option, text: `--${option} has no effect with --network ${mode}: ${what}` });
  };
  if (request.ports.length > 0 && WITHOUT_PORTS.includes(mode)) {
    leftOut('publish', 'nothing is published');
    request.ports = [];
  }
  if (request.hostsFile !== '' && mode === 'container') leftOut('hosts-file', 'it has the file of the other one');
  if (request.networkAliases.length > 0 && [...WITHOUT_PORTS, 'pasta'].includes(mode))
    leftOut('network-alias', 'nobody asks for names there');
  const servers = request.dns.filter(server => mode !== 'container' || server !== 'none');
  if ((mode === 'none' || mode === 'container') && [servers, request.dnsSearch, request.dnsOptions].flat().length > 0)
    conflict(`--dns, --dns-search and --dns-option have no effect with --network ${mode}`);
  const host = request.addHosts.find(({ address }) => address === 'host-gateway');
  if (host !== undefined && (mode === 'none' || mode === 'ns'))
    conflict(
      `--add-host ${host.name}:host-gateway: no address of the host is known with --network ${mode}`,
      'give the address',
    );
  if (request.noHosts && request.addHosts.length > 0) conflict('--add-host has no effect with --no-hosts');
  if (request.noHosts && request.hostsFile !== '') conflict('--hosts-file has no effect with --no-hosts');
}

export function parseIp(draft: Draft, option: 'ip' | 'ip6', value: string): void {
  const right = option === 'ip' ? isAddress4(value) : isAddress6(value);
  if (!right) return bad(draft, option, value, `not an ${option === 'ip' ? 'IPv4' : 'IPv6'} address`);
  draft.ip[option] = value;
}

export function parseMac(draft: Draft, value: string): void {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(value))
    return bad(draft, 'mac-address', value, 'not six bytes like 02:00:00:00:00:01');
  draft.ip.mac = value;
}
