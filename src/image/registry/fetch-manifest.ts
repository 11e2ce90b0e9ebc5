import { parseDigest } from '../digest.ts';
import type { Digest } from '../types.ts';
import type { Document } from './documents.ts';
import { RegistryError } from './error.ts';
import type { Answer } from './exchange.ts';
import { checkDigest, digestOf, hashFor } from './hashing.ts';
import { ACCEPTED } from './media-types.ts';
import { address, scope, type Repository } from './repository.ts';
import { withRetries } from './retry.ts';
import { expect } from './status.ts';
import { MANIFEST_LIMIT } from './types.ts';

/** A manifest or index by tag or digest, verified. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
export function fetchDocument(repository: Repository, reference: string): Promise<Document> {
  return withRetries(repository.rules, async () => {
    const answer = await ask(repository, 'GET', reference);
    const bytes = await answer.bytes(MANIFEST_LIMIT);
    const digest = verify(bytes, reference, answer);
    return { digest, mediaType: answer.headers['content-type'] ?? '', bytes: bytes.toString('latin1') };
  });
}

/** The digest that a tag has. A registry that does not say it in the head is asked for the whole. */
export async function fetchDigest(repository: Repository, reference: string): Promise<Digest> {
  const known = await withRetries(repository.rules, async () => {
    const answer = await ask(repository, 'HEAD', reference);
    answer.drop();
    return parseDigest(answer.headers['docker-content-digest']);
  });
  return known ?? (await fetchDocument(repository, reference)).digest;
}

async function ask(repository: Repository, method: 'GET' | 'HEAD', reference: string): Promise<Answer> {
  const { endpoint, session, rules } = repository;
  const answer = await session.send({
    method,
    target: address(repository, `manifests/${reference}`),
    scopes: [scope(endpoint.path, 'pull')],
    headers: { accept: ACCEPTED },
    signal: rules.signal,
  });
  return expect(answer, [200], what(repository, reference));
}

function what({ endpoint }: Repository, reference: string): string {
  return `${endpoint.path}${reference.includes(':') ? '@' : ':'}${reference}`;
}

/** By digest: must be that one. By tag: must be what the registry says it is, where it does. */
function verify(bytes: Buffer, reference: string, answer: Answer): Digest {
  const wanted = parseDigest(reference);
  const said = wanted ?? parseDigest(answer.headers['docker-content-digest']);
  if (said === undefined) return digestOf(bytes);
  if (bytes.length === 0) throw new RegistryError('bad-answer', `${answer.url.host}: an empty manifest`);
  checkDigest(hashFor(said).update(bytes), said, `${answer.url.host}: manifest ${reference}`);
  return said;
}
