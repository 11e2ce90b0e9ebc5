import { ARTIFACT_PULL_VERB, IMAGE_PULL_VERB } from '../command/verb-names.ts';
import type { RenderedVerb } from '../command/render.ts';
import type { Bytes } from '../host/host.ts';
import { preparedAccount } from './account.ts';
import { warnShortName } from './image-name.ts';
import { failSection, type Draft, type Setting, type Unit } from './model.ts';
import { optionsOf } from './options.ts';
import { lastItem, readScalar } from './read.ts';
import { argumentWords, commandBase, commandLine, defaultService, oneShot } from './service.ts';

/** What references to an image unit become. */
export function imageResource(unit: Unit): Bytes | undefined {
  return readScalar(unit, 'ImageTag') ?? readScalar(unit, 'Image');
}

/** `[Image]` */
export function translateImage(unit: Unit, draft: Draft, setting: Setting): void {
  const item = lastItem(unit, 'Image');
  if (item === undefined || item.value === '')
    failSection(unit, 'required', 'no Image key specified', 'add Image= to [Image]');
  else warnShortName({ unit }, item);
  // It tells how far it is, and asks for more time while bytes arrive.
  defaultService(unit, draft, 'NotifyAccess', 'main');
  pull(unit, draft, setting, IMAGE_PULL_VERB, item?.value ?? '');
}

/** `[Artifact]` */
export function translateArtifact(unit: Unit, draft: Draft, setting: Setting): void {
  const name = readScalar(unit, 'Artifact');
  if (name === undefined) failSection(unit, 'required', 'no Artifact key specified', 'add Artifact= to [Artifact]');
  pull(unit, draft, setting, ARTIFACT_PULL_VERB, name ?? '');
}

function pull(unit: Unit, draft: Draft, setting: Setting, row: RenderedVerb, name: Bytes): void {
  const base = commandBase(unit, setting);
  oneShot(unit, draft, true);
  preparedAccount(unit, draft, setting);
  const command = { options: optionsOf(unit, {}), optionWords: argumentWords(unit), operands: [name] };
  draft.lines.push(`ExecStart=${commandLine(base, row, command)}`);
}
