import type { Host } from '../host/host.ts';

/** --rmi, when the container is gone: takes the image's name away, and the image with its last name. One that another container uses stays. */
export function removeImageOf(host: Host, image: string): void {
  if (image === '') return;
  const argv = [host.readlink('/proc/self/exe'), 'rmi', '--ignore', '--', image];
  const environment = host.environmentList();
  const { status, stderr } = host.run({ argv, environment, stdout: 'capture', stderr: 'capture' });
  if (status !== 0) host.write(2, `berth: warning: --rmi: ${stderr.trim().replace(/^berth: /, '')}\n`);
}
