// The commands by name, without what they do: enough to tell a command from anything else.

/** One command: its short form, and the group form `GROUP VERB` where it has one. */
export interface CommandName {
  readonly name: string;
  readonly groups?: readonly { readonly group: string; readonly verbs: readonly string[] }[];
  readonly heading: 'Images' | 'Registries' | 'Containers' | 'The file system alone' | 'System';
  readonly summary: string;
  /** What its arguments are, for shell completion. */
  readonly completes?: 'images' | 'repositories' | 'containers' | 'running' | 'stopped' | 'paused' | 'both';
  /** Reached by its group form only. */
  readonly groupOnly?: true;
  /** What its exit code is where not what it runs, but veneer itself has failed: that code is the command's otherwise. */
  readonly failsWith?: 125;
  /** For other programs to call: listed nowhere. */
  readonly hidden?: true;
  /**
   * What a plain user's call does about the user namespace in which containers and their files have owners. Without a word, it
   * is entered. `outside`: has nothing to do with it. `inside`: is only of use to who is in it already.
   */
  readonly namespace?: 'outside' | 'inside';
}

type Groups = NonNullable<CommandName['groups']>;

const image = (...verbs: string[]): Groups => [{ group: 'image', verbs }];
const container = (...verbs: string[]): Groups => [{ group: 'container', verbs }];

export const GROUPS: Readonly<Record<string, string>> = {
  image: 'Manage images',
  container: 'Manage containers',
  volume: 'Manage volumes',
  manifest: 'Look at manifests and indexes',
  system: 'Look after the store',
};

export const COMMANDS = [
  {
    name: 'import',
    groups: image('import'),
    heading: 'Images',
    summary: 'Make an image from the tar of a root file system',
  },
  {
    name: 'load',
    groups: image('load'),
    heading: 'Images',
    summary: 'Load images from an archive or an OCI layout',
  },
  {
    name: 'save',
    groups: image('save'),
    heading: 'Images',
    summary: 'Save images to an archive or an OCI layout',
    completes: 'images',
  },
  {
    name: 'export',
    groups: container('export'),
    heading: 'Containers',
    summary: "Write a container's or image's tree as a tar",
    completes: 'both',
  },
  { name: 'images', groups: image('ls', 'list'), heading: 'Images', summary: 'List images', completes: 'images' },
  {
    name: 'inspect',
    groups: [
      { group: 'image', verbs: ['inspect'] },
      { group: 'container', verbs: ['inspect'] },
    ],
    heading: 'Images',
    summary: 'Show all there is to know of images and containers',
    completes: 'both',
  },
  {
    name: 'history',
    groups: image('history'),
    heading: 'Images',
    summary: 'Show how an image came to be',
    completes: 'images',
  },
  { name: 'tag', groups: image('tag'), heading: 'Images', summary: 'Give an image another name', completes: 'images' },
  {
    name: 'rmi',
    groups: image('rm', 'remove', 'rmi'),
    heading: 'Images',
    summary: 'Remove images',
    completes: 'images',
  },
  {
    name: 'pull',
    groups: image('pull'),
    heading: 'Registries',
    summary: 'Pull an image from a registry',
    completes: 'images',
  },
  {
    name: 'push',
    groups: image('push'),
    heading: 'Registries',
    summary: 'Push an image to a registry',
    completes: 'images',
  },
  { name: 'login', heading: 'Registries', summary: 'Log in to a registry', namespace: 'outside' },
  { name: 'logout', heading: 'Registries', summary: 'Log out of a registry', namespace: 'outside' },
  {
    name: 'search',
    groups: image('search'),
    heading: 'Registries',
    summary: 'Search a registry for images',
    namespace: 'outside',
  },
  {
    name: 'tags',
    namespace: 'outside',
    heading: 'Registries',
    summary: 'List the tags of a repository',
    completes: 'repositories',
  },
  {
    name: 'manifest-inspect',
    groups: [{ group: 'manifest', verbs: ['inspect'] }],
    groupOnly: true,
    heading: 'Registries',
    summary: "Show an image's manifest, or the index of an image for several platforms",
    completes: 'images',
  },
  {
    name: 'create',
    groups: container('create'),
    heading: 'Containers',
    summary: 'Make a container: a writable layer over an image',
    completes: 'images',
  },
  {
    name: 'run',
    groups: container('run'),
    heading: 'Containers',
    summary: 'Run a command in a new container',
    completes: 'images',
    failsWith: 125,
  },
  {
    name: 'exec',
    groups: container('exec'),
    heading: 'Containers',
    summary: 'Run a command in a running container',
    completes: 'running',
    failsWith: 125,
  },
  {
    name: 'attach',
    groups: container('attach'),
    heading: 'Containers',
    summary: "Be a running container's terminal",
    completes: 'running',
  },
  {
    name: 'logs',
    groups: container('logs'),
    heading: 'Containers',
    summary: 'Show what containers have written',
    completes: 'containers',
  },
  {
    name: 'start',
    groups: container('start'),
    heading: 'Containers',
    summary: 'Start containers',
    completes: 'stopped',
  },
  {
    name: 'stop',
    groups: container('stop'),
    heading: 'Containers',
    summary: 'Stop containers',
    completes: 'running',
  },
  {
    name: 'restart',
    groups: container('restart'),
    heading: 'Containers',
    summary: 'Restart containers',
    completes: 'containers',
  },
  {
    name: 'kill',
    groups: container('kill'),
    heading: 'Containers',
    summary: 'Send a signal to containers',
    completes: 'running',
  },
  {
    name: 'pause',
    groups: container('pause'),
    heading: 'Containers',
    summary: 'Hold all processes of containers',
    completes: 'running',
  },
  {
    name: 'unpause',
    groups: container('unpause'),
    heading: 'Containers',
    summary: 'Let held processes go on',
    completes: 'paused',
  },
  {
    name: 'wait',
    groups: container('wait'),
    heading: 'Containers',
    summary: 'Wait until containers end, and print their exit codes',
    completes: 'containers',
  },
  {
    name: 'container-cleanup',
    groups: container('cleanup'),
    groupOnly: true,
    hidden: true,
    heading: 'Containers',
    summary: 'Take away what an ended container has left',
  },
  {
    name: 'mount',
    groups: [
      { group: 'container', verbs: ['mount'] },
      { group: 'image', verbs: ['mount'] },
    ],
    heading: 'Containers',
    summary: 'Mount a container, or an image read-only',
    namespace: 'inside',
    completes: 'both',
  },
  {
    name: 'umount',
    groups: [
      { group: 'container', verbs: ['umount', 'unmount'] },
      { group: 'image', verbs: ['umount', 'unmount'] },
    ],
    heading: 'Containers',
    summary: 'Un-mount containers and images',
    completes: 'containers',
  },
  {
    name: 'stats',
    groups: container('stats'),
    heading: 'Containers',
    summary: 'Show what containers use of processors, memory, networks and disks',
    completes: 'running',
  },
  {
    name: 'top',
    groups: container('top'),
    heading: 'Containers',
    summary: 'Show what runs in a container',
    completes: 'running',
  },
  { name: 'ps', groups: container('ls', 'list', 'ps'), heading: 'Containers', summary: 'List containers' },
  {
    name: 'diff',
    groups: container('diff'),
    heading: 'Containers',
    summary: 'List what changed in a container, or between any two images, layers and directories',
    completes: 'both',
  },
  {
    name: 'which',
    heading: 'Containers',
    summary: 'Show which layer a file is from, what made it, and what it hides',
  },
  {
    name: 'commit',
    groups: container('commit'),
    heading: 'Containers',
    summary: "Make an image of a container's changes",
    completes: 'containers',
  },
  {
    name: 'port',
    groups: container('port'),
    heading: 'Containers',
    summary: 'List the ports of a container that the host passes on',
    completes: 'running',
  },
  {
    name: 'cp',
    groups: container('cp'),
    heading: 'Containers',
    summary: 'Copy files between a container and this machine, or another container',
  },
  {
    name: 'snapshot',
    groups: container('snapshot'),
    heading: 'Containers',
    summary: "Keep the state of a container's file system, running or not",
    completes: 'containers',
  },
  {
    name: 'snapshots',
    groups: container('snapshots'),
    heading: 'Containers',
    summary: 'List the snapshots of a container',
    completes: 'containers',
  },
  {
    name: 'rollback',
    groups: container('rollback'),
    heading: 'Containers',
    summary: 'Take a container back to a snapshot',
    completes: 'containers',
  },
  {
    name: 'branch',
    groups: container('branch'),
    heading: 'Containers',
    summary: 'Make a container that begins with the state of another one',
    completes: 'containers',
  },
  {
    name: 'rename',
    groups: container('rename'),
    heading: 'Containers',
    summary: 'Give a container another name',
    completes: 'containers',
  },
  {
    name: 'rm',
    groups: container('rm', 'remove'),
    heading: 'Containers',
    summary: 'Remove containers',
    completes: 'containers',
  },
  { name: 'overlay', heading: 'The file system alone', summary: 'Mount directories as one, as fuse-overlayfs does' },
  {
    name: 'image-prune',
    groups: image('prune'),
    groupOnly: true,
    heading: 'Images',
    summary: 'Remove images that nothing uses',
  },
  {
    name: 'container-prune',
    groups: container('prune'),
    groupOnly: true,
    heading: 'Containers',
    summary: 'Remove containers that do not run',
  },
  {
    name: 'volume-create',
    groups: [{ group: 'volume', verbs: ['create'] }],
    groupOnly: true,
    heading: 'Containers',
    summary: 'Make a volume',
  },
  {
    name: 'volume-ls',
    groups: [{ group: 'volume', verbs: ['ls', 'list'] }],
    groupOnly: true,
    heading: 'Containers',
    summary: 'List volumes',
  },
  {
    name: 'volume-inspect',
    groups: [{ group: 'volume', verbs: ['inspect'] }],
    groupOnly: true,
    heading: 'Containers',
    summary: 'Show all there is to know of volumes',
  },
  {
    name: 'volume-rm',
    groups: [{ group: 'volume', verbs: ['rm', 'remove'] }],
    groupOnly: true,
    heading: 'Containers',
    summary: 'Remove volumes',
  },
  {
    name: 'volume-prune',
    groups: [{ group: 'volume', verbs: ['prune'] }],
    groupOnly: true,
    heading: 'Containers',
    summary: 'Remove volumes that no container has',
  },
  {
    name: 'df',
    groups: [{ group: 'system', verbs: ['df'] }],
    groupOnly: true,
    heading: 'System',
    summary: 'Show what images and containers take on disk',
  },
  {
    name: 'check',
    groups: [{ group: 'system', verbs: ['check'] }],
    groupOnly: true,
    heading: 'System',
    summary: 'Verify the store, and repair it',
  },
  {
    name: 'prune',
    groups: [{ group: 'system', verbs: ['prune'] }],
    groupOnly: true,
    heading: 'System',
    summary: 'Remove leftovers, and images that nothing uses',
  },
  {
    name: 'unshare',
    heading: 'System',
    summary: "Run a command in the user namespace of a plain user's containers",
    namespace: 'outside',
  },
  {
    name: 'completion',
    heading: 'System',
    summary: 'Print a script that completes command lines',
    namespace: 'outside',
  },
  {
    name: 'version',
    heading: 'System',
    summary: 'Show the versions of veneer and what it runs on',
    namespace: 'outside',
  },
] as const satisfies readonly CommandName[];

export type CommandId = (typeof COMMANDS)[number]['name'];

/** True for the first word of any command: a short form, a group, or `help`. */
export function isCommand(word: string): boolean {
  return (
    word === 'help' || word in GROUPS || COMMANDS.some((it: CommandName) => it.name === word && it.groupOnly !== true)
  );
}

/** The words before the first option's value ends them: at most `GROUP VERB`. */
export function leadingWords(args: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length && words.length < 2; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') break;
    if (arg === '--root' || arg === '--log-level') at += 1;
    else if (!arg.startsWith('-')) words.push(arg);
  }
  return words;
}

export interface Selection {
  readonly command: CommandName & { readonly name: CommandId };
  /** As typed: `['image', 'ls']`. */
  readonly path: readonly string[];
}

/** The command that the words at the start of a command line name. */
export function findCommand(words: readonly string[]): Selection | undefined {
  const [first, second] = words;
  if (first === undefined) return undefined;
  for (const command of COMMANDS) {
    const { name, groups = [], groupOnly }: CommandName = command;
    if (name === first && groupOnly !== true) return { command, path: [first] };
    const matches = groups.some(
      ({ group, verbs }) => group === first && second !== undefined && verbs.includes(second),
    );
    if (matches && second !== undefined) return { command, path: [first, second] };
  }
  return undefined;
}
