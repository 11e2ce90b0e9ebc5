import type { Digest } from '../types.ts';
import { parseDigest } from '../digest.ts';
import { RegistryError } from './error.ts';
import { wholeBody, type Answer } from './exchange.ts';
import { digestOf } from './hashing.ts';
import { uploadInPieces, WANTS_PIECES } from './push-pieces.ts';
import { address, scope, type Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { uploadAddress } from './session.ts';
import { expect } from './status.ts';
import type { Descriptor, Source, TransferOptions } from './types.ts';

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#checking-if-content-exists-in-the-registry */
export function hasBlob(repository: Repository, digest: Digest): Promise<boolean> {
  return withRetries(repository.rules, async () => {
    const answer = await ask(repository, 'HEAD', address(repository, `blobs/${digest}`), [
      scope(repository.endpoint.path, 'pull,push'),
    ]);
    if (answer.status === 404) {
      answer.drop();
      return false;
    }
    (await expect(answer, [200], `${repository.endpoint.path}@${digest}`)).drop();
    return true;
  });
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository */
export function mountBlob(repository: Repository, digest: Digest, fromPath: string): Promise<boolean> {
  const { path } = repository.endpoint;
  return withRetries(repository.rules, async () => {
    const target = `${address(repository, 'blobs/uploads/')}?mount=${digest}&from=${encodeURIComponent(fromPath)}`;
    const answer = await ask(repository, 'POST', target, [scope(path, 'pull,push'), scope(fromPath, 'pull')]);
    (await expect(answer, [201, 202], path)).drop();
    if (answer.status === 202) await abandon(repository, answer);
    return answer.status === 201;
  });
}

/** An upload that nobody will finish. */
async function abandon(repository: Repository, answer: Answer): Promise<void> {
  try {
    const target = uploadAddress(answer);
    (
      await repository.session.send({
        method: 'DELETE',
        target,
        scopes: pushScopes(repository),
        signal: repository.rules.signal,
      })
    ).drop();
  } catch (error) {
    // The registry forgets it by itself.
    if (!(error instanceof RegistryError)) throw error;
  }
}

/** Repositories that have refused a blob in one piece. */
const inPieces = new WeakSet<Repository>();

/** In one piece as long as the registry takes that: one request and no waiting in between. */
export async function uploadBlob(
  repository: Repository,
  descriptor: Descriptor,
  source: Source,
  options: TransferOptions,
): Promise<void> {
  if (!inPieces.has(repository)) {
    if (await uploadWhole(repository, descriptor, source, options)) return;
    inPieces.add(repository);
  }
  await uploadInPieces(repository, descriptor, source, options);
}

/** POST for a place, PUT with the bytes; false when the registry wants pieces. The upload may have another host, which then gets no credentials. */
function uploadWhole(
  repository: Repository,
  descriptor: Descriptor,
  source: Source,
  options: TransferOptions,
): Promise<boolean> {
  const signal = options.signal ?? repository.rules.signal;
  return withRetries({ ...repository.rules, signal }, async () => {
    const begun = await expect(
      await ask(repository, 'POST', address(repository, 'blobs/uploads/'), pushScopes(repository)),
      [202],
      repository.endpoint.path,
    );
    begun.drop();
    const target = uploadAddress(begun);
    target.searchParams.set('digest', descriptor.digest);
    const answer = await repository.session.send({
      method: 'PUT',
      target,
      scopes: pushScopes(repository),
      headers: { 'content-type': 'application/octet-stream' },
      body: { length: descriptor.size, source: counted(source, descriptor, options) },
      signal,
    });
    // 202: it took a part.
    const pieces = WANTS_PIECES.has(answer.status) || answer.status === 202;
    if (!pieces) await expect(answer, [201, 204], `${repository.endpoint.path}: blob`);
    answer.drop();
    return !pieces;
  });
}

/** What is sent must have the length that was announced. */
function counted(source: Source, { size }: Descriptor, options: TransferOptions): Source {
  return async function* () {
    let sent = 0;
    for await (const chunk of source()) {
      sent += chunk.length;
      if (sent > size) break;
      yield chunk;
      options.progress?.(sent);
    }
    if (sent !== size)
      throw new RegistryError('bad-digest', `a blob of ${size} bytes has ${sent > size ? 'more' : sent}`);
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export function putManifest(
  repository: Repository,
  reference: string,
  mediaType: string,
  bytes: string,
): Promise<Digest> {
  const buffer = Buffer.from(bytes, 'latin1');
  const digest = digestOf(buffer);
  return withRetries(repository.rules, async () => {
    const answer = await repository.session.send({
      method: 'PUT',
      target: address(repository, `manifests/${reference}`),
      scopes: pushScopes(repository),
      headers: { 'content-type': mediaType },
      body: wholeBody(buffer),
      signal: repository.rules.signal,
    });
    (await expect(answer, [201, 202], `${repository.endpoint.path}:${reference}`)).drop();
    const said = parseDigest(answer.headers['docker-content-digest']);
    if (said !== undefined && said.startsWith('sha256:') && said !== digest)
      throw new RegistryError(
        'bad-digest',
        `${repository.endpoint.host}: it stored the manifest as ${said}, not as ${digest}`,
      );
    return digest;
  });
}

function pushScopes({ endpoint }: Repository): string[] {
  return [scope(endpoint.path, 'pull,push')];
}

function ask(
  repository: Repository,
  method: 'HEAD' | 'POST',
  target: string,
  scopes: readonly string[],
): Promise<Answer> {
  return repository.session.send({ method, target, scopes, signal: repository.rules.signal });
}
