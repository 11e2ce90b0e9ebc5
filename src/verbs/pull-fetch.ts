import { PULL } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { listedStores } from '../image/additional.ts';
import { ImageError } from '../image/error.ts';
import { parsePolicy } from '../image/pull/policy.ts';
import { makeProgress, type ProgressKind } from '../image/pull/progress.ts';
import { pullImage, type PullRequest } from '../image/pull/pull.ts';
import type { Pulled } from '../image/pull/unchanged.ts';
import { parseReference } from '../image/reference.ts';
import { openRegistries, openRegistry } from '../image/registry/open.ts';
import { registryOptions } from '../image/registry/options.ts';
import { platformOption } from '../image/registry/platform-option.ts';
import type { Platform, RegistryOptions } from '../image/registry/types.ts';
import { openStore } from '../image/store.ts';
import { storeMap } from '../image/store-map.ts';
import { askCreds } from './ask-creds.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { awaitInterruption } from './interruption.ts';
import { pulledJson } from './pulled-json.ts';
import { tell } from './tell.ts';

/** `berth pull` for which a registry is asked: fetches images. Prints their ids; progress goes to standard error. */
export async function main(host: Host): Promise<number> {
  const parsed = commandLine(host, PULL);
  if (typeof parsed === 'number') return parsed;
  const command = await askCreds(host, parsed);
  const format = formatOf(command);
  const store = openStore(host, globalValue(command, 'root'));
  // An account without subordinate ids cannot have layers: said before anything is fetched.
  storeMap(host);
  const interruption = awaitInterruption();
  const stop = interruption.signal;
  const names = await namesOf(host, command, stop);
  const done: Pulled[] = [];
  let status = 0;
  for (const name of names) {
    if (stop.aborted) break;
    try {
      const pulled = await pullImage(host, store, requestOf(host, command, name, stop, format));
      done.push(pulled);
      // Of a unit the launcher tells it (src/run/fetch.ts).
      if (format !== 'progress' && pulled.bytes > 0) tellPulled(host, pulled);
      if (format === '') host.write(1, `${pulled.id}\n`);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const reason = naming(name, stop.aborted ? 'interrupted' : error.message);
      say(host, reason);
      if (format !== 'progress')
        tell(host, 'pull-error', reason, { BERTH_TYPE: 'image', BERTH_NAME: name, BERTH_ERROR: reason });
      status = 125;
    }
  }
  interruption.dieOfIt();
  if (done.some(pulled => pulled.layers > 0) && !isSet(command, 'quiet')) tellUnread(host);
  if (format === 'json') host.write(1, pulledJson(done));
  return status;
}

/** A registry's fault alone (`localhost: the connection is refused`) does not say what was wanted of it. */
function naming(name: string, message: string): string {
  const repository = name.replace(/(:[^/]*|@.*)$/, '');
  return message.includes(repository) ? message : `${name}: ${message}`;
}

/** Who lists a store in storage.conf expects that its images are not fetched. */
function tellUnread(host: Host): void {
  for (const { path, fault } of listedStores(host))
    if (fault !== undefined) say(host, `warning: the additional store ${path} of storage.conf is not read: ${fault}`);
}

function tellPulled(host: Host, { id, name, bytes }: Pulled): void {
  const fields = { BERTH_TYPE: 'image', BERTH_NAME: name, BERTH_ID: id, BERTH_BYTES: String(bytes) };
  tell(host, 'pull', `pulled ${name}`, fields);
}

/** Fetches what the store lacks of the image that a registry has under a digest. Its id. */
export async function fetchAgain(
  host: Host,
  store: string,
  { reference, platform }: { readonly reference: string; readonly platform: Platform },
  signal: AbortSignal,
): Promise<string> {
  const { id } = await pullImage(host, store, {
    name: reference,
    policy: 'always',
    platform,
    strict: false,
    anew: true,
    registries: () => [openRegistry(host, reference, { signal })],
    progress: makeProgress(host, host.isTerminal(2) ? 'bars' : 'lines'),
    signal,
    say: line => say(host, line),
  });
  return id;
}

/** `progress`: for the launcher of a unit, a line `BYTES TEXT` a second. */
function formatOf(command: Command): string {
  const format = lastValue(command, 'format') ?? '';
  if (!['', 'json', 'progress'].includes(format))
    throw new ImageError(`--format ${format}: not json, and not progress`);
  return format;
}

async function namesOf(host: Host, command: Command, signal: AbortSignal): Promise<readonly string[]> {
  if (!isSet(command, 'all-tags')) return command.operands;
  const names: string[] = [];
  for (const operand of command.operands) {
    const parsed = parseReference(operand);
    if (parsed === undefined || parsed.digest !== undefined || operand.slice(operand.lastIndexOf('/')).includes(':'))
      throw new ImageError(`${operand}: --all-tags wants the name of a repository, without tag or digest`);
    const [registry] = openRegistries(host, operand, optionsOf(host, command, signal));
    if (registry === undefined) throw new ImageError(`${operand}: a short name; write it in full`);
    const repository = registry.reference.slice(0, registry.reference.lastIndexOf(':'));
    try {
      names.push(...(await registry.tags()).map(tag => `${repository}:${tag}`));
    } finally {
      registry.close();
    }
  }
  return names;
}

function requestOf(host: Host, command: Command, name: string, signal: AbortSignal, format: string): PullRequest {
  if (parseReference(name) === undefined)
    throw new ImageError(`${name}: not the name of an image; write REGISTRY/PATH:TAG in lower case`);
  const progress = makeProgress(host, kindOf(host, command, format));
  const options = { ...optionsOf(host, command, signal), waiting: (text: string) => progress.waiting(text) };
  return {
    name,
    policy: parsePolicy(lastValue(command, 'policy') ?? 'always'),
    platform: platformOption(command),
    strict: ['platform', 'os', 'arch', 'variant'].some(option => lastValue(command, option) !== undefined),
    registries: hurried => openRegistries(host, name, { ...options, hurried }),
    progress,
    signal,
    say: line => say(host, line),
  };
}

function optionsOf(host: Host, command: Command, signal: AbortSignal): RegistryOptions {
  const note = (line: string): void => say(host, line);
  return { ...registryOptions(command), signal, ...(isSet(command, 'quiet') ? {} : { note }) };
}

function kindOf(host: Host, command: Command, format: string): ProgressKind {
  if (format === 'progress') return 'report';
  if (isSet(command, 'quiet')) return 'none';
  return host.isTerminal(2) ? 'bars' : 'lines';
}
