import type { Endpoint } from './endpoints.ts';
import type { RetryRules } from './retry.ts';
import type { Session } from './session.ts';

/** One repository on one endpoint: what the requests of a `Registry` are made with. */
export interface Repository {
  readonly endpoint: Endpoint;
  readonly session: Session;
  readonly rules: RetryRules;
}

/** `/v2/PATH/REST` */
export function address(repository: Repository, rest: string): string {
  return `/v2/${repository.endpoint.path}/${rest}`;
}

/** What a token has to allow. https://distribution.github.io/distribution/spec/auth/scope/ */
export function scope(path: string, actions: 'pull' | 'pull,push'): string {
  return `repository:${path}:${actions}`;
}

/** `HOST/PATH`, for messages. */
export function repositoryName({ endpoint }: Repository): string {
  return `${endpoint.host}/${endpoint.path}`;
}
