/** Verbs that generated units name: what rendering needs of them, without their tables. The tables are made from these. */
const PLAIN = { stopAtOperand: false } as const;
const STOPS = { stopAtOperand: true } as const;

export const RUN_VERB = { name: 'run', ...STOPS } as const;
export const EXEC_VERB = { name: 'exec', ...STOPS } as const;
export const RM_VERB = { name: 'rm', ...PLAIN } as const;
export const KILL_VERB = { name: 'kill', ...PLAIN } as const;
export const POD_CREATE_VERB = { name: 'pod create', ...PLAIN } as const;
export const POD_START_VERB = { name: 'pod start', ...PLAIN } as const;
export const POD_STOP_VERB = { name: 'pod stop', ...PLAIN } as const;
export const POD_RM_VERB = { name: 'pod rm', ...PLAIN } as const;
export const VOLUME_CREATE_VERB = { name: 'volume create', ...PLAIN } as const;
export const NETWORK_CREATE_VERB = { name: 'network create', ...PLAIN } as const;
export const NETWORK_RM_VERB = { name: 'network rm', ...PLAIN } as const;
export const KUBE_PLAY_VERB = { name: 'kube play', ...PLAIN } as const;
export const KUBE_DOWN_VERB = { name: 'kube down', ...PLAIN } as const;
export const IMAGE_PULL_VERB = { name: 'image pull', ...PLAIN } as const;
export const ARTIFACT_PULL_VERB = { name: 'artifact pull', ...PLAIN } as const;
export const BUILD_VERB = { name: 'build', ...PLAIN } as const;
