import { parsePolicy } from '../image/pull/policy.ts';
import { registryOptions } from '../image/registry/options.ts';
import { judgeImage, noted, thrown, type Judge } from './check-judge.ts';
import { judgeShared } from './check-run.ts';

/** `pull`, `artifact pull`, and what `build` has of them. */
export const judgeFetch: Judge = ({ command, known }) => [
  ...thrown(known, options => {
    const policy = options.find(use => use.name === 'policy')?.value;
    if (policy !== undefined) parsePolicy(policy);
    registryOptions({ ...command, options });
  }),
  ...command.operands.flatMap(judgeImage),
];

/** `build`: names of the image, and what it shares with `run` and `pull`. */
export const judgeBuild: Judge = judged => {
  const { command, known } = judged;
  const tags = known.filter(use => use.name === 'tag');
  const policy = known.find(use => use.name === 'pull' && !BUILD_POLICIES.includes(use.value));
  return [
    ...tags.flatMap(use => judgeImage(use.value)),
    ...(policy === undefined ? [] : noted('pull', policy.value, `use ${BUILD_POLICIES.join(', ')}`)),
    ...judgeShared({ ...judged, known: known.filter(use => use.name !== 'pull') }),
    ...thrown(known, options => registryOptions({ ...command, options })),
  ];
};

/** podman-build(1), --pull. */
const BUILD_POLICIES = ['always', 'missing', 'never', 'newer', 'true', 'false'];
