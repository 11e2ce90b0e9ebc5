import type { Host } from '../../host/host.ts';
import { isWhole } from '../additional.ts';
import { readPulled } from '../pulled.ts';
import { formatReference } from '../reference.ts';
import type { AccessOptions } from '../registry/access-options.ts';
import { quickDigest } from '../registry/quick-head.ts';
import { readRegistriesConf } from '../registry/registries-conf.ts';
import { fullReferences } from '../registry/short-names.ts';
import { checkTrust } from '../registry/trust-policy.ts';
import { findImage } from '../resolve.ts';
import { asksRegistry, type PullPolicy } from './policy.ts';

export interface Pulled {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Full reference under which it is stored. */
  readonly name: string;
  /** Layers and bytes that came over the line; 0: the image was there. */
  readonly layers: number;
  readonly bytes: number;
}

/**
 * What `pullImage` finds where there is nothing to fetch: the image is there and the policy asks no registry, or the registry says at
 * once that the tag is as it was. undefined, or an ImageError: `pullImage` has to do it. No lock is taken, since nothing is changed.
 */
export function pullUnchanged(
  host: Host,
  store: string,
  name: string,
  policy: PullPolicy,
  options: AccessOptions,
): Pulled | undefined {
  const there = findImage(host, store, name)?.record;
  if (there === undefined) return undefined;
  if (!asksRegistry(policy, true)) return { id: there.id, name, layers: 0, bytes: 0 };
  const conf = readRegistriesConf(host);
  const [reference, ...others] = fullReferences(conf, name);
  if (reference === undefined || others.length > 0) return undefined;
  const full = formatReference(reference);
  const record = findImage(host, store, full)?.record;
  const known = readPulled(host, store, full);
  if (known === undefined || known.image !== record?.id || !isWhole(host, store, record)) return undefined;
  // Without Node nobody asks for another platform; the index of both has one digest.
  if (known.platform !== '') return undefined;
  checkTrust(host, reference);
  if (quickDigest(host, conf, reference, options) !== known.digest) return undefined;
  return { id: record.id, name: full, layers: 0, bytes: 0 };
}
