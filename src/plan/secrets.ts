import { refuse, type PlanContext } from './context.ts';
import type { SpecMount } from './spec.ts';
import type { Plan } from './types.ts';

/** File of the bundle: `NAME=VALUE`, separated by NUL, for what is executed beside the payload. */
export const SECRET_ENVIRONMENT = 'secret-environment';

export interface SecretPlan {
  readonly mounts: SpecMount[];
  readonly files: Plan['files'][number][];
  readonly chowns: Plan['chowns'][number][];
  /** `NAME=VALUE`; kept out of config.json. */
  readonly environment: string[];
}

/** Secrets become files of the bundle, which lies in memory and is gone with the container, or variables. */
export function planSecrets(context: PlanContext): SecretPlan {
  const { request, facts } = context;
  const plan: SecretPlan = { mounts: [], files: [], chowns: [], environment: [] };
  for (const [index, secret] of request.secrets.entries()) {
    const data = facts.secrets[secret.name];
    if (data === undefined) {
      refuse(
        context,
        '--secret',
        `--secret ${secret.name}: no such secret`,
        `make it: berth secret create ${secret.name} FILE`,
      );
      continue;
    }
    if (secret.type === 'env') {
      if (data.includes('\0'))
        refuse(context, '--secret', `--secret ${secret.name}: a variable cannot hold a NUL byte`);
      plan.environment.push(`${secret.target}=${data}`);
      continue;
    }
    const name = `secret-${index}`;
    const path = `${facts.bundle}/${name}`;
    plan.files.push({ name, text: data, mode: secret.mode });
    plan.chowns.push({ path, uid: secret.uid, gid: secret.gid });
    const options = ['bind', 'rprivate', 'ro', 'nosuid', 'noexec', 'nodev'];
    plan.mounts.push({ destination: secret.target, type: 'bind', source: path, options });
  }
  if (plan.environment.length > 0) {
    plan.files.push({ name: SECRET_ENVIRONMENT, text: plan.environment.join('\0'), mode: 0o600 });
  }
  return plan;
}
