import { lastValue } from '../../command/read.ts';
import type { Command } from '../../command/types.ts';
import { RegistryError } from './error.ts';
import { hostPlatform, parsePlatform } from './platform.ts';
import type { Platform } from './types.ts';

/** --platform, or --os, --arch and --variant over what this machine is. */
export function platformOption(command: Command): Platform {
  const text = lastValue(command, 'platform');
  const own = hostPlatform();
  if (text !== undefined) {
    const platform = parsePlatform(text);
    if (platform === undefined)
      throw new RegistryError('configuration', `--platform: ${text} is not OS/ARCH or OS/ARCH/VARIANT`);
    return platform;
  }
  const os = lastValue(command, 'os') ?? own.os;
  const wanted = lastValue(command, 'arch');
  const named = lastValue(command, 'variant');
  const architecture =
    wanted === undefined ? own.architecture : (parsePlatform(`linux/${wanted}`)?.architecture ?? wanted);
  const variant = named ?? (architecture === own.architecture ? own.variant : undefined);
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
