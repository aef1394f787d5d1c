// Completion scripts: commands, verbs and options are written into the script; names of images and containers are
// asked for when they are needed.

import { Command } from 'commander';
import type { Option } from 'commander';
import { addGlobals } from './context.js';
import { CONTAINER_FILTERS } from './container-filter.js';
import { configureCommand } from './load.js';
import { COMMANDS, GROUPS } from './names.js';
import type { CommandId, CommandName } from './names.js';

export const SHELLS = ['bash', 'zsh', 'fish'];

interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  /** What may follow it: some words, or, where the list is empty, anything. Undefined for a flag alone. */
  readonly values?: readonly string[] | undefined;
}

interface Completed {
  /** The words that select it: `images`, `image ls`. */
  readonly forms: readonly string[];
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly objects: CommandName['completes'];
}

const FORMATS = ['json', 'table'];
/** Only words that end in `=`: what follows is for people to know. */
const FILTERS: Readonly<Partial<Record<CommandId, readonly string[]>>> = {
  images: ['dangling=', 'label=', 'before=', 'since=', 'until=', 'reference='],
  search: ['is-official=', 'stars='],
  ps: CONTAINER_FILTERS.map((name) => `${name}=`),
  'image-prune': ['until=', 'label=', 'label!='],
  'container-prune': ['until=', 'label=', 'label!='],
  prune: ['until=', 'label=', 'label!='],
};

/** Those that most images are made for. */
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386', 'linux/ppc64le', 'linux/riscv64'];

function valuesOf(command: CommandId, { long, required, argChoices }: Option): readonly string[] | undefined {
  if (!required) return undefined;
  if (long === '--platform') return PLATFORMS;
  if (argChoices !== undefined) return argChoices;
  if (long === '--filter') return FILTERS[command] ?? [];
  return long === '--format' ? FORMATS : [];
}

async function describe(entry: CommandName & { name: CommandId }): Promise<Completed> {
  const command = addGlobals(new Command(entry.name));
  await configureCommand(entry.name, command);
  const grouped = (entry.groups ?? []).flatMap(({ group, verbs }) => verbs.map((verb) => `${group} ${verb}`));
  return {
    forms: entry.groupOnly === true ? grouped : [entry.name, ...grouped],
    summary: entry.summary,
    flags: [
      ...command.options
        .filter(({ hidden }) => !hidden)
        .map((option) => ({
          names: [option.short, option.long].filter((name) => name !== undefined),
          description: option.description,
          values: valuesOf(entry.name, option),
        })),
      { names: ['-h', '--help'], description: 'show help' },
    ],
    objects: entry.completes,
  };
}

const IMAGES = `veneer images --format '{{if ne .Tag "<none>"}}{{.Repository}}:{{.Tag}}{{end}}'`;
const CONTAINERS = "veneer ps -a --format '{{.Names}}'";

/** What prints the names to choose from. */
const LISTERS: Readonly<Record<NonNullable<CommandName['completes']>, string>> = {
  images: IMAGES,
  repositories: "veneer images --format '{{.Repository}}' | sort -u",
  containers: CONTAINERS,
  running: "veneer ps --filter status=running --format '{{.Names}}'",
  paused: "veneer ps --filter status=paused --format '{{.Names}}'",
  stopped: "veneer ps --filter status=created --filter status=mounted --filter status=exited --format '{{.Names}}'",
  both: `${CONTAINERS}; ${IMAGES}`,
};

const topWords = (commands: readonly Completed[]): string[] => [
  ...commands.flatMap(({ forms }) => forms.filter((form) => !form.includes(' '))),
  ...Object.keys(GROUPS),
  'help',
];

function verbsOf(commands: readonly Completed[], group: string): string[] {
  const prefix = `${group} `;
  return commands.flatMap(({ forms }) =>
    forms.filter((form) => form.startsWith(prefix)).map((form) => form.slice(prefix.length)),
  );
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ forms, flags, objects }) => {
    const words = flags.flatMap(({ names }) => names).join(' ');
    const list = objects === undefined ? '' : `[[ $cur == -* ]] || words="$({ ${LISTERS[objects]}; } 2>/dev/null)"`;
    const values = flags
      .filter((flag) => flag.values !== undefined)
      .map((flag) => `${flag.names.join('|')}) words='${(flag.values ?? []).join(' ')}' ;;`);
    const rest = list === '' ? [] : [`*) ${list} ;;`];
    return `    ${forms.map((form) => `'${form}'`).join('|')})
      words='${words}'
      case "$before" in
        ${[...values, ...rest].join('\n        ')}
      esac ;;`;
  });
  const groups = Object.keys(GROUPS).map((group) => `    '${group}') words='${verbsOf(commands, group).join(' ')}' ;;`);
  return `# bash completion for veneer
_veneer() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} form='' words='' at word
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    [[ $word == -* || \${COMP_WORDS[at - 1]} == --@(root|log-level) ]] && continue
    case "$form" in
      '') form=$word ;;
      ${Object.keys(GROUPS).join('|')}) form="$form $word" ;;
    esac
  done
  case "$form" in
    '') words='${topWords(commands).join(' ')} --root --log-level --debug --version --help' ;;
${[...groups, ...cases].join('\n')}
  esac
  COMPREPLY=()
  local IFS=$' \\t\\n'
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  if type __ltrim_colon_completions >/dev/null 2>&1; then __ltrim_colon_completions "$cur"; fi
}
complete -o default -F _veneer veneer
`;
}

const quote = (text: string): string => text.replaceAll("'", "'\\''");

function zsh(commands: readonly Completed[]): string {
  const described = commands
    .filter(({ forms }) => forms.some((form) => !form.includes(' ')))
    .map(({ forms, summary }) => `    '${quote(`${forms[0] ?? ''}:${summary.replaceAll(':', '\\:')}`)}'`);
  const groups = Object.entries(GROUPS).map(([name, summary]) => `    '${name}:${summary}'`);
  const verbs = Object.keys(GROUPS).map((group) => `    ${group}) compadd -- ${verbsOf(commands, group).join(' ')} ;;`);
  const cases = commands.map(({ forms, flags, objects }) => {
    const words = flags.flatMap(({ names }) => names).join(' ');
    const list =
      objects === undefined ? '_files' : `compadd -- \${(f)"$({ ${LISTERS[objects]}; } 2>/dev/null)"}; _files`;
    const values = flags
      .filter((flag) => flag.values !== undefined)
      .map(({ names, values: known = [] }) => {
        const add =
          known.length === 0
            ? '_files'
            : `compadd ${known[0]?.endsWith('=') === true ? "-S '' " : ''}-- ${known.join(' ')}`;
        return `${names.join('|')}) ${add} ;;`;
      });
    return `    ${forms.map((form) => form.replace(' ', '\\ ')).join('|')})
      case $before in
        ${[...values, `*) if [[ $PREFIX == -* ]]; then compadd -- ${words}; else ${list}; fi ;;`].join('\n        ')}
      esac ;;`;
  });
  return `#compdef veneer
_veneer() {
  local -a commands
  commands=(
${[...described, ...groups].join('\n')}
  )
  local form='' word before=''
  for word in \${words[2,CURRENT-1]}; do
    if [[ $word == -* || $before == --root || $before == --log-level ]]; then before=$word; continue; fi
    before=$word
    case "$form" in
      '') form=$word ;;
      ${Object.keys(GROUPS).join('|')}) form="$form $word" ;;
    esac
  done
  case "$form" in
    '') _describe command commands ;;
${[...verbs, ...cases].join('\n')}
    *) _files ;;
  esac
}
if [ "$funcstack[1]" = _veneer ]; then _veneer "$@"; else compdef _veneer veneer; fi
`;
}

const quoteFish = (text: string): string => text.replace(/[\\']/g, '\\$&');

function fish(commands: readonly Completed[]): string {
  const top = topWords(commands).join(' ');
  const lines = [`set -l tops ${top}`, 'complete -c veneer -n "not __fish_seen_subcommand_from $tops" -f'];
  const add = (condition: string, rest: string): number => lines.push(`complete -c veneer -n "${condition}" ${rest}`);
  for (const { forms, summary, flags, objects } of commands) {
    for (const form of forms) {
      const [word = '', verb] = form.split(' ');
      const seen = `__fish_seen_subcommand_from ${word}`;
      if (verb === undefined) add('not __fish_seen_subcommand_from $tops', `-a ${word} -d '${quoteFish(summary)}'`);
      else add(`${seen}; and not __fish_seen_subcommand_from ${verb}`, `-f -a ${verb} -d '${quoteFish(summary)}'`);
      const here = verb === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${verb}`;
      for (const { names, description, values } of flags) {
        const spelled = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
        if (values !== undefined) spelled.push(values.length === 0 ? '-r' : `-x -a '${values.join(' ')}'`);
        add(here, `${spelled.join(' ')} -d '${quoteFish(description)}'`);
      }
      if (objects !== undefined) add(here, `-a '(${quoteFish(`begin; ${LISTERS[objects]}; end 2>/dev/null`)})'`);
    }
  }
  for (const [group, summary] of Object.entries(GROUPS)) {
    add('not __fish_seen_subcommand_from $tops', `-a ${group} -d '${quoteFish(summary)}'`);
  }
  return `# fish completion for veneer\n${lines.join('\n')}\n`;
}

/** The script for a shell, or undefined for one that is not known. */
export async function completionScript(shell: string): Promise<string | undefined> {
  const generate = { bash, zsh, fish }[shell];
  const shown = COMMANDS.filter((entry: CommandName) => entry.hidden !== true);
  return generate?.(await Promise.all(shown.map((entry) => describe(entry))));
}
