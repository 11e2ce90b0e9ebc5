import type { Bytes } from '../host/host.ts';
import { BOOLEAN, oneOf, type Rule } from './directive-forms.ts';
import { RULES, type RuleName } from './directive-rules.ts';

/** The rule of an option of [Unit], [Service] or [Install] as systemd 257 has them; undefined: it has no such option. */
export function ruleOf(section: Bytes, key: Bytes): Rule | undefined {
  return tables()[section]?.get(key);
}

/** The options of a section. */
export function keysOfSection(section: Bytes): Iterable<Bytes> {
  return tables()[section]?.keys() ?? [];
}

/** Options that systemd still reads, but does nothing with, or only until it forgets them. */
export const OBSOLETE: Readonly<Record<string, string>> = {
  RequiresOverridable: 'Requires=',
  RequisiteOverridable: 'Requisite=',
  CPUShares: 'CPUWeight=',
  StartupCPUShares: 'StartupCPUWeight=',
  MemoryLimit: 'MemoryMax=',
  BlockIOAccounting: 'IOAccounting=',
  BlockIOWeight: 'IOWeight=',
  StartupBlockIOWeight: 'StartupIOWeight=',
  BlockIODeviceWeight: 'IODeviceWeight=',
  BlockIOReadBandwidth: 'IOReadBandwidthMax=',
  BlockIOWriteBandwidth: 'IOWriteBandwidthMax=',
};

const CONDITIONS =
  'PathExists PathExistsGlob PathIsDirectory PathIsSymbolicLink PathIsMountPoint PathIsReadWrite PathIsEncrypted DirectoryNotEmpty FileNotEmpty FileIsExecutable NeedsUpdate';
const FACTS =
  'FirstBoot Architecture Virtualization Host KernelCommandLine KernelVersion Credential Security Capability ACPower Memory CPUFeature CPUs Environment User Group ControlGroupController OSRelease MemoryPressure CPUPressure IOPressure';

const both = (names: string): string => `${names} `.replace(/(\w+) /g, 'Condition$1 Assert$1 ').trim();
const ACTION = oneOf(
  'none reboot reboot-force reboot-immediate poweroff poweroff-force poweroff-immediate exit exit-force soft-reboot soft-reboot-force kexec kexec-force halt halt-force halt-immediate',
);
const JOB_MODE = oneOf(
  'fail lenient replace replace-irreversibly isolate flush ignore-dependencies ignore-requirements restart-dependencies triggering',
);

type Row = readonly [rule: RuleName | Rule, keys: string];

const UNIT: readonly Row[] = [
  [
    'text',
    `Description RebootArgument JobTimeoutRebootArgument RequiresOverridable RequisiteOverridable ConditionFirmware ${both(FACTS)}`,
  ],
  ['documentation', 'Documentation'],
  ['path', 'SourcePath'],
  [
    'units',
    'Requires Requisite Wants BindsTo BindTo Upholds Conflicts Before After OnSuccess OnFailure PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom PropagateReloadFrom PropagatesStopTo StopPropagatedFrom PartOf JoinsNamespaceOf',
  ],
  ['plainPaths', 'RequiresMountsFor WantsMountsFor'],
  [
    'boolean',
    'StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate DefaultDependencies SurviveFinalKillSignal OnFailureIsolate IgnoreOnIsolate',
  ],
  ['span', 'JobTimeoutSec JobRunningTimeoutSec StartLimitIntervalSec StartLimitInterval'],
  ['count', 'StartLimitBurst'],
  ['exitStatus', 'FailureActionExitStatus SuccessActionExitStatus'],
  ['condition', both(CONDITIONS)],
  [ACTION, 'JobTimeoutAction StartLimitAction FailureAction SuccessAction'],
  [JOB_MODE, 'OnSuccessJobMode OnFailureJobMode'],
  [oneOf('inactive inactive-or-failed'), 'CollectMode'],
];

const SYSLOG =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 local5 local6 local7';
const LEVEL = oneOf('emerg alert crit err warning notice info debug', false, /^[0-7]$/);
const END = oneOf('terminate abort kill');
const yesNoOr = (words: string): Rule => ({
  ...oneOf(words, false, BOOLEAN),
  what: `yes, no, ${words.replaceAll(' ', ', ')}`,
});

const SERVICE: readonly Row[] = [
  // What is wrong in these is told by the generator (refused-service.ts).
  [
    'text',
    'WorkingDirectory RootDirectory RootImage RootVerity User Group SupplementaryGroups DynamicUser RootImagePolicy ExtensionImagePolicy MountImagePolicy PIDFile',
  ],
  [
    'text',
    'RebootArgument PAMName SyslogIdentifier UtmpIdentifier SELinuxContext AppArmorProfile SmackProcessLabel LogFilterPatterns StandardInputText RestrictFileSystems',
  ],
  [
    'text',
    'CPUShares StartupCPUShares MemoryLimit BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth BlockIOWeight StartupBlockIOWeight',
  ],
  [
    'boolean',
    'PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit GuessMainPID NonBlocking RootEphemeral CPUSchedulingResetOnFork RemoveIPC TTYReset TTYVHangup TTYVTDisallocate SyslogLevelPrefix NoNewPrivileges MemoryDenyWriteExecute RestrictRealtime RestrictSUIDSGID LockPersonality PrivateDevices ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectClock PrivateNetwork PrivateIPC PrivatePIDs IgnoreSIGPIPE ProtectHostname CPUAccounting MemoryAccounting MemoryZSwapWriteback IOAccounting BlockIOAccounting TasksAccounting IPAccounting CoredumpReceive SendSIGKILL SendSIGHUP',
  ],
  ['command', 'ExecCondition ExecStartPre ExecStart ExecReload ExecStartPost ExecStop ExecStopPost'],
  ['mountImages', 'MountImages'],
  ['images', 'ExtensionImages'],
  ['rootHash', 'RootHash'],
  ['rootHashSignature', 'RootHashSignature'],
  ['imageOptions', 'RootImageOptions'],
  ['coredump', 'CoredumpFilter'],
  ['choice', 'SetLoginEnvironment PrivateMounts MountAPIVFS BindLogSockets MemoryKSM'],
  [yesNoOr('restart'), 'RuntimeDirectoryPreserve FileDescriptorStorePreserve'],
  [yesNoOr('disconnected'), 'PrivateTmp'],
  [yesNoOr('private strict'), 'ProtectControlGroups'],
  [yesNoOr('self identity'), 'PrivateUsers'],
  [yesNoOr('full strict'), 'ProtectSystem'],
  [yesNoOr('read-only tmpfs'), 'ProtectHome'],
  [yesNoOr('auto skip'), 'MemoryPressureWatch'],
  [
    'span',
    'RestartSec RestartMaxDelaySec TimeoutSec TimeoutStartSec TimeoutStopSec RuntimeMaxSec RuntimeRandomizedExtraSec WatchdogSec StartLimitInterval LogRateLimitIntervalSec TimerSlackNSec TimeoutCleanSec MemoryPressureThresholdSec',
  ],
  ['optionalSpan', 'TimeoutAbortSec CPUQuotaPeriodSec'],
  ['pressureSpan', 'ManagedOOMMemoryPressureDurationSec'],
  ['count', 'StartLimitBurst RestartSteps FileDescriptorStoreMax LogRateLimitBurst'],
  ['optionalCount', 'TTYRows TTYColumns'],
  [
    'mode',
    'UMask RuntimeDirectoryMode StateDirectoryMode CacheDirectoryMode LogsDirectoryMode ConfigurationDirectoryMode',
  ],
  ['signal', 'ReloadSignal KillSignal RestartKillSignal FinalKillSignal WatchdogSignal'],
  ['exitStatuses', 'RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus'],
  [
    'paths',
    'ExtensionDirectories ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths',
  ],
  [
    'path',
    'USBFunctionDescriptors USBFunctionStrings TTYPath NetworkNamespacePath IPCNamespacePath IPIngressFilterPath IPEgressFilterPath',
  ],
  ['file', 'EnvironmentFile'],
  ['searchPath', 'ExecSearchPath'],
  ['binds', 'BindPaths BindReadOnlyPaths'],
  ['mountPaths', 'TemporaryFileSystem'],
  ['directories', 'RuntimeDirectory StateDirectory CacheDirectory LogsDirectory'],
  ['plainDirectories', 'ConfigurationDirectory'],
  [
    'memory',
    'MemoryMin DefaultMemoryMin DefaultMemoryLow MemoryLow StartupMemoryLow MemorySwapMax StartupMemorySwapMax MemoryZSwapMax StartupMemoryZSwapMax',
  ],
  ['memoryAboveZero', 'DefaultStartupMemoryLow MemoryHigh StartupMemoryHigh MemoryMax StartupMemoryMax'],
  ['byteLimit', 'LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitAS LimitMEMLOCK LimitMSGQUEUE'],
  ['countLimit', 'LimitNOFILE LimitNPROC LimitLOCKS LimitSIGPENDING LimitRTPRIO'],
  ['timeLimit', 'LimitCPU LimitRTTIME'],
  ['niceLimit', 'LimitNICE'],
  ['nice', 'Nice'],
  ['oomScore', 'OOMScoreAdjust'],
  ['ioPriority', 'IOSchedulingPriority'],
  ['schedulingPriority', 'CPUSchedulingPriority'],
  ['cpus', 'CPUAffinity AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes'],
  ['nodes', 'NUMAMask'],
  ['cpuWeight', 'CPUWeight StartupCPUWeight'],
  ['weight', 'IOWeight StartupIOWeight'],
  ['quota', 'CPUQuota'],
  ['share', 'ManagedOOMMemoryPressureLimit'],
  ['tasks', 'TasksMax'],
  ['deviceWeight', 'IODeviceWeight'],
  ['deviceLimit', 'IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax'],
  ['deviceSpan', 'IODeviceLatencyTargetSec'],
  ['device', 'DeviceAllow'],
  ['addresses', 'IPAddressAllow IPAddressDeny'],
  ['socketBind', 'SocketBindAllow SocketBindDeny'],
  ['environment', 'Environment'],
  ['variables', 'PassEnvironment'],
  ['variablesOrValues', 'UnsetEnvironment'],
  ['fields', 'LogExtraFields'],
  ['busName', 'BusName'],
  ['sockets', 'Sockets'],
  ['slice', 'Slice'],
  ['openFile', 'OpenFile'],
  ['capabilities', 'CapabilityBoundingSet AmbientCapabilities'],
  ['secureBits', 'SecureBits'],
  ['systemCalls', 'SystemCallFilter'],
  ['systemCallNames', 'SystemCallLog'],
  ['errorNumber', 'SystemCallErrorNumber'],
  ['architectures', 'SystemCallArchitectures'],
  ['families', 'RestrictAddressFamilies'],
  [{ ...RULES.namespaces, fits: value => BOOLEAN.test(value) || RULES.namespaces.fits(value) }, 'RestrictNamespaces'],
  [
    {
      ...RULES.controllers,
      what: 'yes, no, or controllers such as cpu and memory',
      fits: value => BOOLEAN.test(value) || RULES.controllers.fits(value),
    },
    'Delegate',
  ],
  ['controllers', 'DisableControllers'],
  ['subgroup', 'DelegateSubgroup'],
  ['interfaces', 'RestrictNetworkInterfaces'],
  ['nftSet', 'NFTSet'],
  ['bpfProgram', 'BPFProgram'],
  ['namespaceName', 'LogNamespace'],
  ['credentialValue', 'SetCredential'],
  ['credentialEncrypted', 'SetCredentialEncrypted'],
  ['credentialGlob', 'ImportCredential'],
  ['credentialFile', 'LoadCredential LoadCredentialEncrypted'],
  ['base64', 'StandardInputData'],
  ['input', 'StandardInput'],
  ['output', 'StandardOutput StandardError'],
  [LEVEL, 'SyslogLevel LogLevelMax'],
  [oneOf(SYSLOG, false, /^(0x[0-7]?[0-9a-f]|[0-9]{1,2}|1[01][0-9]|12[0-7])$/), 'SyslogFacility'],
  [END, 'TimeoutStartFailureMode TimeoutStopFailureMode'],
  [ACTION, 'StartLimitAction FailureAction'],
  [oneOf('simple exec forking oneshot dbus notify notify-reload idle'), 'Type'],
  [oneOf('main cgroup'), 'ExitType'],
  [oneOf('no on-success on-failure on-abnormal on-watchdog on-abort always'), 'Restart'],
  [oneOf('normal direct debug'), 'RestartMode'],
  [oneOf('none main exec all'), 'NotifyAccess'],
  [oneOf('continue stop kill'), 'OOMPolicy'],
  [oneOf('none realtime best-effort idle', true, /^[0-7]$/), 'IOSchedulingClass'],
  [
    oneOf('other batch idle fifo rr ext', true, /^(0x[0-9a-f]{1,7}|[0-9]{1,9}|1[0-9]{9}|20[0-9]{8})$/),
    'CPUSchedulingPolicy',
  ],
  [oneOf('default preferred bind interleave local', true), 'NUMAPolicy'],
  [oneOf('shared slave private', true), 'MountFlags'],
  [oneOf('inherit private shared'), 'KeyringMode'],
  [oneOf('noaccess invisible ptraceable default'), 'ProtectProc'],
  [oneOf('all pid'), 'ProcSubset'],
  [oneOf('init login user'), 'UtmpMode'],
  [oneOf('auto closed strict'), 'DevicePolicy'],
  [oneOf('auto kill', true), 'ManagedOOMSwap ManagedOOMMemoryPressure'],
  [oneOf('none avoid omit'), 'ManagedOOMPreference'],
  [oneOf('x86 x86-64 arm arm64 ppc ppc-le ppc64 ppc64-le s390 s390x riscv64 loongarch64', true), 'Personality'],
  [oneOf('control-group process mixed none', true), 'KillMode'],
];

const INSTALL: readonly Row[] = [['plain', 'Alias WantedBy RequiredBy UpheldBy Also DefaultInstance']];

let made: Record<string, Map<Bytes, Rule>> | undefined;

function tables(): Readonly<Record<string, Map<Bytes, Rule>>> {
  made ??= { Unit: tableOf(UNIT), Service: tableOf(SERVICE), Install: tableOf(INSTALL) };
  return made;
}

function tableOf(rows: readonly Row[]): Map<Bytes, Rule> {
  const table = new Map<Bytes, Rule>();
  for (const [rule, keys] of rows)
    for (const key of keys.split(' ')) table.set(key, typeof rule === 'string' ? RULES[rule] : rule);
  return table;
}
