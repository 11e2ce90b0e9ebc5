import * as admin from '../command/options-admin.ts';
import * as control from '../command/options-control.ts';
import * as container from '../command/options-container.ts';
import * as image from '../command/options-image.ts';
import { OCI_VERBS } from '../command/options-oci.ts';
import * as registry from '../command/options-registry.ts';
import { CREATE, RUN } from '../command/options-run.ts';
import { NETWORK_VERBS } from '../command/options-network.ts';
import { POD_VERBS } from '../command/options-pod.ts';
import { SEEING_VERBS } from '../command/options-seeing.ts';
import { SECRET_VERBS, VOLUME_VERBS } from '../command/options-storage.ts';
import * as units from '../command/options-units.ts';
import { native } from '../command/rows.ts';
import type { VerbRow } from '../command/types.ts';

/**
 * `berth oci ACTION`: one program, src/verbs/oci.ts, parses the action's own row (OCI_VERBS).
 * Podman and the CRI tools put options before the action, so the table cannot name it in two words.
 */
const OCI: VerbRow = native('oci', 'ACTION', 'answer the command line of an OCI runtime', [], {
  stopAtOperand: true,
  least: 1,
});

/** Verbs under the word that `berth help` shows in front of them. */
export interface VerbGroup {
  readonly title: string;
  readonly verbs: readonly VerbRow[];
}

/** Every verb that this version has, in the order of `berth help`. `native` rows are programs of the static binary. */
export const GROUPS: readonly VerbGroup[] = [
  {
    title: 'containers',
    verbs: [
      RUN,
      CREATE,
      container.EXEC,
      container.STOP,
      container.KILL,
      container.RM,
      container.WAIT,
      container.PS,
      container.INSPECT,
      container.LOGS,
      container.LOGS_MERGED,
      container.HEALTH,
      ...SEEING_VERBS,
      container.CONTAINER_CLEANUP,
      container.HEALTHCHECK_RUN,
    ],
  },
  {
    title: 'units',
    verbs: [
      control.UP,
      control.PLAN,
      control.DOWN,
      control.START,
      control.START_ATTACHED,
      control.UNIT_STOP,
      control.RESTART,
      control.RELOAD,
      control.UNIT_JOB,
      control.STATUS,
      control.WHY,
      control.ENABLE,
      control.DISABLE,
      control.MASK,
      control.UNMASK,
      control.DAEMON_RELOAD,
      admin.CHECK,
      admin.GRAPH,
      admin.QUADLET_PRINT,
      admin.QUADLET_LIST,
      admin.QUADLET_INSTALL,
      admin.QUADLET_RM,
    ],
  },
  {
    title: 'images',
    verbs: [
      image.IMPORT,
      image.PULL,
      image.IMAGE_PULL,
      image.PUSH,
      image.LOAD,
      image.SAVE,
      image.IMAGES,
      image.RMI,
      image.HISTORY,
      image.TAG,
      image.UNTAG,
      registry.LOGIN,
      registry.LOGOUT,
      registry.SEARCH,
      image.IMAGE_EXISTS,
      image.IMAGE_PRUNE,
      image.IMAGE_INSPECT,
    ],
  },
  { title: 'pods', verbs: POD_VERBS },
  { title: 'networks', verbs: NETWORK_VERBS },
  { title: 'volumes', verbs: VOLUME_VERBS },
  { title: 'secrets', verbs: SECRET_VERBS },
  {
    title: 'this host',
    verbs: [
      container.INFO,
      container.VERSION,
      admin.SYSTEM_DOCTOR,
      image.SYSTEM_CHECK,
      image.SYSTEM_DF,
      admin.SYSTEM_PRUNE,
      admin.SYSTEM_MIGRATE,
      admin.SYSTEM_TAKEOVER,
      admin.ACCOUNT,
      OCI,
      admin.GENERATOR,
      admin.LAYER,
      admin.SYSTEM_MIGRATE_LAYER,
      admin.SYSTEM_WAIT,
      admin.HELP,
    ],
  },
];

export const VERBS: readonly VerbRow[] = GROUPS.flatMap(group => group.verbs);

/** Verbs that generated units name and this version lacks: they fail with one line. */
export const LATER_VERBS: readonly VerbRow[] = [units.KUBE_PLAY, units.KUBE_DOWN, image.BUILD, image.ARTIFACT_PULL];

/** The OCI runtime's actions, each with its own options. */
export { OCI_VERBS };
