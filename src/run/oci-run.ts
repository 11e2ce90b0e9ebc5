import type { Host } from '../host/host.ts';
import { FORWARDED, statusOf } from './finish.ts';
import { ociCreate, type OciCreateRequest } from './oci-create.ts';
import { ociDelete, ociStart } from './oci-manage.ts';
import type { Parts } from './parts.ts';

/** `oci run`: create, start, wait, delete; the payload's exit status. */
export function ociRun(
  host: Host,
  parts: Parts,
  request: OciCreateRequest,
  options: { detach: boolean; keep: boolean },
): number {
  const created = ociCreate(host, parts, request);
  ociStart(host, request.root, request.id);
  if (options.detach) return 0;
  const { terminal } = created;
  const exit = host.attend(created, {
    forward: FORWARDED,
    child: true,
    ...(terminal === undefined || request.consoleSocket !== undefined ? {} : { terminal }),
  });
  if (!options.keep) ociDelete(host, request.root, request.id, true);
  return statusOf(exit);
}
