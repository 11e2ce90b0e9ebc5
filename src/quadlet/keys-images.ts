import {
  argumentsKey,
  argsKey,
  boolKey,
  commonKeys,
  listKey,
  pairsKey,
  scalarKey,
  table,
  type KeyRow,
} from './keys.ts';

const CODE = { special: true };

function retries(since: string): readonly KeyRow[] {
  return [
    scalarKey('Retry', 'retry', since, 'how often it is tried again', { check: 'count' }),
    scalarKey('RetryDelay', 'retry-delay', since, 'time between these', { check: 'duration' }),
  ];
}

/** [Image] */
export const imageKeys = table('Image', () => [
  ...commonKeys(),
  scalarKey('Arch', 'arch', '4.8', 'architecture of the image'),
  scalarKey('AuthFile', 'authfile', '4.8', 'registry credentials'),
  scalarKey('CertDir', 'cert-dir', '4.8', 'certificates of the registry'),
  scalarKey('Creds', 'creds', '4.8', 'USER:PASSWORD of the registry'),
  scalarKey('DecryptionKey', 'decryption-key', '4.8', 'key of an encrypted image'),
  scalarKey('OS', 'os', '4.8', 'operating system of the image'),
  scalarKey('Policy', 'policy', '5.6', 'always, missing, never or newer'),
  scalarKey('Variant', 'variant', '4.8', 'variant of the architecture'),
  ...retries('5.5'),
  boolKey('AllTags', 'all-tags', '4.8', 'all tags of the repository'),
  boolKey('TLSVerify', 'tls-verify', '4.8', 'verify the registry'),
  argumentsKey('4.8'),
  scalarKey('Image', '', '4.8', 'the image', CODE),
  scalarKey('ImageTag', '', '4.8', 'what references to this unit mean (default Image=)', CODE),
]);

/** [Build] */
export const buildKeys = table('Build', () => [
  ...commonKeys('5.2'),
  scalarKey('Pull', 'pull', '5.2', 'always, missing, never or newer', { joined: true }),
  scalarKey('Arch', 'arch', '5.2', 'architecture of the image'),
  scalarKey('AuthFile', 'authfile', '5.2', 'registry credentials'),
  scalarKey('IgnoreFile', 'ignorefile', '5.7', 'what is left out of the context'),
  scalarKey('Target', 'target', '5.2', 'stage to build'),
  scalarKey('Variant', 'variant', '5.2', 'variant of the architecture'),
  ...retries('5.5'),
  boolKey('TLSVerify', 'tls-verify', '5.2', 'verify the registry'),
  boolKey('ForceRM', 'force-rm', '5.2', 'remove intermediate containers'),
  listKey('DNS', 'dns', '5.2', 'name server'),
  listKey('DNSOption', 'dns-option', '5.2', 'option of resolv.conf'),
  listKey('DNSSearch', 'dns-search', '5.2', 'search domain'),
  listKey('GroupAdd', 'group-add', '5.2', 'supplementary group'),
  listKey('ImageTag', 'tag', '5.2', 'name of the image', CODE),
  pairsKey('BuildArg', 'build-arg', '5.7', 'argument of the build'),
  pairsKey('Environment', 'env', '5.2', 'environment variable'),
  pairsKey('Label', 'label', '5.2', 'label'),
  pairsKey('Annotation', 'annotation', '5.2', 'annotation'),
  listKey('Network', 'network', '5.2', 'network of the build', CODE),
  argsKey('Secret', 'secret', '5.2', 'secret of the build'),
  listKey('Volume', 'volume', '5.2', 'mount, [SOURCE:]TARGET[:OPTIONS]', CODE),
  scalarKey('File', 'file', '5.2', 'the Containerfile', CODE),
  scalarKey('SetWorkingDirectory', '', '5.2', 'file, unit, or the context itself', CODE),
  argumentsKey('5.2'),
]);

/** [Artifact] */
export const artifactKeys = table('Artifact', () => [
  ...commonKeys('5.7'),
  scalarKey('AuthFile', 'authfile', '5.7', 'registry credentials'),
  scalarKey('CertDir', 'cert-dir', '5.7', 'certificates of the registry'),
  scalarKey('Creds', 'creds', '5.7', 'USER:PASSWORD of the registry'),
  scalarKey('DecryptionKey', 'decryption-key', '5.7', 'key of an encrypted artifact'),
  ...retries('5.7'),
  boolKey('Quiet', 'quiet', '5.7', 'no progress'),
  boolKey('TLSVerify', 'tls-verify', '5.7', 'verify the registry'),
  argumentsKey('5.7'),
  scalarKey('Artifact', '', '5.7', 'the artifact', CODE),
]);

/** [Quadlet], which all types may have. */
export const quadletKeys = table('Quadlet', () => [
  boolKey('DefaultDependencies', '', '5.3', 'wait for the network (default true)', CODE),
]);
