import { besideOfNode } from './node-beside.ts';
import { filesOfNode } from './node-files.ts';
import { processesOfNode } from './node-processes.ts';
import { HostError, type Host, type Kernel, type Sockets } from './host.ts';

/**
 * The host of the Node half: all of files, facts and programs that Node can do with synchronous calls. What needs a system call
 * that Node lacks throws ENOSYS naming it; verbs that need it are native.
 */
export function nodeHost(): Host {
  const kernel = Object.fromEntries(KERNEL_CALLS.map(name => [name, () => unavailable(name)])) as unknown as Kernel &
    Sockets;
  return { ...kernel, ...filesOfNode(), ...processesOfNode(), ...besideOfNode() };
}

const KERNEL_CALLS: readonly (keyof Kernel | keyof Sockets)[] = [
  'accept',
  'attend',
  'bindUnix',
  'compileSeccomp',
  'connectUnix',
  'defaultSeccomp',
  'expectMove',
  'limitDevices',
  'launch',
  'notify',
  'outcome',
  'pipe',
  'proceed',
  'receive',
  'receiveMessage',
  'relay',
  'send',
];

function unavailable(call: string): never {
  throw new HostError(call, 'ENOSYS', 38, `${call} is not available in the Node half of Berth`, '');
}
