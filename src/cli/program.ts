// The command line: finds the command, loads its file alone, and turns whatever happens into an exit code.

import { Command } from 'commander';
import { VeneerError } from '../core/index.js';
import type { HeadStart } from '../container/head-start.js';
import { addGlobals, applyGlobals, giveHeadStart, globalsOf, reportOptions } from './context.js';
import { report } from './failure.js';
import { configureCommand } from './load.js';
import { COMMANDS, findCommand, GROUPS, leadingWords } from './names.js';
import type { CommandName, Selection } from './names.js';
import { versionLine } from './version.js';

const INTRODUCTION = 'Container images as file systems: mount, change, diff, commit.';

const EPILOGUE = `
Examples:
  $ veneer pull debian:12                get an image from a registry
  $ veneer import rootfs.tar base        or make one of a root file system
  $ veneer create --name work base       a container over it
  $ cd $(veneer mount work)              look at it, change it
  $ veneer diff work                     what changed
  $ veneer commit work base:v2           a new image of the changes

Run 'veneer COMMAND --help' for a command's options and examples.`;

function newProgram(): Command {
  const program = new Command('veneer')
    .description(INTRODUCTION)
    .usage('[OPTIONS] COMMAND')
    .version(versionLine(), '-v, --version', 'print the version');
  return addGlobals(program).addHelpText('after', EPILOGUE);
}

/** Errors are thrown, not printed: they are reported in one place. */
const settings = new Command()
  .exitOverride()
  .enablePositionalOptions()
  .configureOutput({ outputError: () => undefined });

function quiet(command: Command): Command {
  return command.copyInheritedSettings(settings).helpOption('-h, --help', 'show help').helpCommand(false);
}

/** All names with their summaries: for the overview, and so that a mistyped name finds its neighbour. */
function addStubs(program: Command, group: string | undefined): void {
  for (const entry of COMMANDS as readonly CommandName[]) {
    if (entry.groupOnly === true) continue;
    quiet(program.command(entry.name)).summary(entry.summary).helpGroup(`${entry.heading}:`);
  }
  for (const [name, summary] of Object.entries(GROUPS)) {
    const sub = quiet(program.command(name)).summary(summary).description(summary).helpGroup('Groups:');
    if (name === group) addVerbs(sub);
  }
}

function addVerbs(group: Command): void {
  group.usage('COMMAND');
  for (const { groups = [], summary, hidden } of COMMANDS as readonly CommandName[]) {
    if (hidden === true) continue;
    const [verb, ...aliases] = groups.find((it) => it.group === group.name())?.verbs ?? [];
    if (verb !== undefined) quiet(group.command(verb)).aliases(aliases).summary(summary);
  }
}

async function addSelected(program: Command, { command: entry, path }: Selection): Promise<Command> {
  const parent = path.length === 1 ? program : quiet(program.command(path[0] ?? ''));
  const command = quiet(parent.command(path.at(-1) ?? ''));
  command.summary(entry.summary).description(entry.summary);
  await configureCommand(entry.name, command);
  return addGlobals(command).hook('preAction', () => {
    applyGlobals(globalsOf(command));
  });
}

/** Where the words of another command begin, which are its own: behind the operand that precedes them. */
function ownEnd(args: readonly string[], command: Command, path: readonly string[]): number {
  const { options } = command;
  let words = path.length;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') return at;
    if (!arg.startsWith('-') || arg === '-') {
      if (words === 0) return at;
      words -= 1;
      continue;
    }
    // The last of several letters may take a value, and what follows the first one that does is its value.
    const letters = /^-[^-]/.test(arg) ? Array.from(arg.slice(1), (letter) => `-${letter}`) : [arg];
    const flag = letters.find((it) =>
      options.some(({ short, long, required }) => required && (short === it || long === it)),
    );
    if (flag !== undefined && flag === letters.at(-1)) at += 1;
  }
  return args.length;
}

/** docker's flags take `=true` and `=false`, too. `path`: the words that select a command which runs another one. */
function plainFlags(args: readonly string[], command: Command, path?: readonly string[]): string[] {
  const { options } = command;
  const end = path === undefined ? args.indexOf('--') : ownEnd(args, command, path);
  const has = (flag: string): boolean => options.some(({ long, short }) => long === flag || short === flag);
  const isFlag = (flag: string): boolean =>
    options.some((option) => (option.long === flag || option.short === flag) && (option.isBoolean() || option.negate));
  return args.flatMap((arg, at) => {
    const [, flag = '', value = ''] = /^(--?[a-zA-Z][\w-]*)=(1|0|t|f|true|false)$/i.exec(arg) ?? [];
    if (!isFlag(flag) || (end >= 0 && at > end)) return [arg];
    if (/^[1t]/i.test(value)) return [flag];
    const opposite = `--no-${options.find(({ short, long }) => short === flag || long === flag)?.name() ?? ''}`;
    return has(opposite) ? [opposite] : [];
  });
}

/** The words that select a command whose operands end its options. */
function runsAnother({ command: { name }, path }: Selection): readonly string[] | undefined {
  return name === 'run' || name === 'create' || name === 'exec' ? path : undefined;
}

/** The exit code of a command whose own are those of what it runs: 126 and 127 where that cannot be run, else 125. */
function ownFailure(error: unknown, code: number): number {
  // By shape: the room where such errors are made is not loaded for this.
  if (error instanceof VeneerError) return 'exitCode' in error ? Number(error.exitCode) : 125;
  return code === 1 || code === 2 ? 125 : code;
}

/** Runs a command line and sets `process.exitCode`. `head`: what has been begun for it. */
export async function run(args: readonly string[], head?: HeadStart): Promise<void> {
  giveHeadStart(head);
  const line = args[0] === 'help' ? [...args.slice(1), '--help'] : [...args];
  // A bare group is a question for its verbs.
  if (line.length === 1 && line[0] !== undefined && line[0] in GROUPS) line.push('--help');
  const words = leadingWords(line);
  const selection = findCommand(words);
  const program = quiet(newProgram());
  let command = program;
  const group = words[0] !== undefined && words[0] in GROUPS ? ` ${words[0]}` : '';
  try {
    if (selection === undefined) addStubs(program, words[0]);
    else command = await addSelected(program, selection);
    if (line.length === 0) program.outputHelp();
    else
      await program.parseAsync(selection === undefined ? line : plainFlags(line, command, runsAnother(selection)), {
        from: 'user',
      });
  } catch (error) {
    const options = reportOptions(command);
    const code = report(error, selection === undefined ? { ...options, usage: `veneer${group}` } : options);
    process.exitCode = selection?.command.failsWith === undefined ? code : ownFailure(error, code);
  }
}
