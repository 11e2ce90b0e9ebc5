import type { Host } from '../host/host.ts';
import { findImage } from '../image/resolve.ts';
import { Failure } from '../run/failure.ts';
import { findPod } from '../run/pods.ts';
import { readVolume } from '../volume/record.ts';
import { networkShown } from './network-show.ts';
import { podShown } from './pod-show.ts';
import { volumeShown } from './volume-show.ts';

export type Shown = Record<string, unknown>;
type Look = (host: Host, store: string, word: string) => Shown | undefined;

/** What `berth inspect` shows beside containers, in the order in which the peer looks for a name. */
export const KINDS: Readonly<Record<string, Look>> = {
  image: imageShown,
  volume: (host, store, word) => {
    const record = readVolume(host, store, word);
    return record === undefined ? undefined : volumeShown(store, record);
  },
  network: networkShown,
  pod: (host, store, word) => {
    const pod = findPod(host, store, word);
    return pod === undefined ? undefined : podShown(host, pod);
  },
};

/** Node's half knows images. */
function imageShown(host: Host, store: string, word: string): Shown | undefined {
  if (findImage(host, store, word) === undefined) return undefined;
  const argv = [host.readlink('/proc/self/exe'), 'image', 'inspect', '--', word];
  const streams = { stdout: 'capture', stderr: 'capture' } as const;
  const { status, stdout, stderr } = host.run({ argv, environment: host.environmentList(), ...streams });
  if (status !== 0) throw new Failure(125, stderr.trim().replace(/^berth: /, ''));
  return (JSON.parse(stdout) as Shown[])[0];
}
