import { Failure } from '../run/failure.ts';
import type { VolumeRecord } from './record.ts';

/** What the driver `local` does with its options (podman-volume-create(1)). */
export type Backing =
  | { readonly kind: 'directory' }
  /** Another directory of the host takes the place of `_data`. */
  | { readonly kind: 'bind'; readonly device: string; readonly words: readonly string[] }
  /** A file system that mount(8) attaches to `_data`. */
  | { readonly kind: 'mount'; readonly type: string; readonly device: string; readonly words: readonly string[] }
  | { readonly kind: 'image'; readonly image: string };

const LOCAL = ['device', 'type', 'o', 'copy', 'nocopy'];

/** What a volume stands on. A Failure (125) names what is wrong with its options. */
export function backingOf(record: Pick<VolumeRecord, 'name' | 'driver' | 'options'>): Backing {
  const options = record.options ?? {};
  if (record.driver === 'image') {
    const { image = '' } = options;
    if (image === '') throw new Failure(125, `volume ${record.name}: the driver image needs --opt image=REFERENCE`);
    return { kind: 'image', image };
  }
  const { device = '', type = '', o = '' } = options;
  const words = o.split(',').filter(word => word !== '');
  if (device === '') {
    if (type !== '') throw new Failure(125, `volume ${record.name}: --opt type=${type} needs --opt device=`);
    return { kind: 'directory' };
  }
  const bind = type === 'bind' || words.includes('bind') || words.includes('rbind');
  if (!bind) return { kind: 'mount', type, device, words };
  if (!device.startsWith('/')) throw new Failure(125, `volume ${record.name}: device ${device} is no absolute path`);
  return { kind: 'bind', device, words: words.filter(word => !/^(bind$|[ug]id=)/.test(word)) };
}

/** Checks the words of `--opt` and `--driver`; a Failure (125) names the first that is not known. */
export function readOptions(name: string, driver: string, words: readonly string[]): Record<string, string> {
  if (driver !== 'local' && driver !== 'image') {
    throw new Failure(125, `--driver ${driver}: there is no such volume driver; use local or image`);
  }
  const known = driver === 'local' ? LOCAL : ['image'];
  const options: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const key = at < 0 ? word : word.slice(0, at);
    if (!known.includes(key)) {
      throw new Failure(125, `--opt ${word}: the driver ${driver} has no option ${key}; it has ${known.join(', ')}`);
    }
    options[key] = at < 0 ? '' : word.slice(at + 1);
  }
  const full = backingOf({ name, driver, options });
  const size =
    full.kind === 'directory' ? (options['o'] ?? '').split(',').find(word => !/^([ug]id=.+)?$/.test(word)) : undefined;
  if (size !== undefined) throw new Failure(125, `--opt o=${size}: without a device only uid= and gid= have a meaning`);
  return options;
}

/** The owner that `o=uid=,gid=` gives. */
export function ownerIn(options: Readonly<Record<string, string>>): { uid?: number; gid?: number } {
  const owner: { uid?: number; gid?: number } = {};
  for (const word of (options['o'] ?? '').split(',')) {
    const [, key, digits] = /^(uid|gid)=(\d{1,10})$/.exec(word) ?? [];
    if (key === 'uid' || key === 'gid') owner[key] = Number(digits);
  }
  return owner;
}
