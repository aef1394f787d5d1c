// Completion scripts: commands, verbs and options are written into the script; names of images and containers are
// asked for when they are needed.

import { Command } from 'commander';
import { addGlobals } from './context.js';
import { configureCommand } from './load.js';
import { COMMANDS, GROUPS } from './names.js';
import type { CommandId, CommandName } from './names.js';

export const SHELLS = ['bash', 'zsh', 'fish'];

interface Completed {
  /** The words that select it: `images`, `image ls`. */
  readonly forms: readonly string[];
  readonly summary: string;
  readonly flags: readonly { readonly names: readonly string[]; readonly description: string }[];
  readonly objects: CommandName['completes'];
}

async function describe(entry: CommandName & { name: CommandId }): Promise<Completed> {
  const command = addGlobals(new Command(entry.name));
  await configureCommand(entry.name, command);
  const grouped = (entry.groups ?? []).flatMap(({ group, verbs }) => verbs.map((verb) => `${group} ${verb}`));
  return {
    forms: entry.groupOnly === true ? grouped : [entry.name, ...grouped],
    summary: entry.summary,
    flags: [
      ...command.options.map(({ short, long, description }) => ({
        names: [short, long].filter((name) => name !== undefined),
        description,
      })),
      { names: ['-h', '--help'], description: 'show help' },
    ],
    objects: entry.completes,
  };
}

const IMAGES = "veneer images --format '{{.Repository}}:{{.Tag}}'";
const CONTAINERS = "veneer ps -a --format '{{.Names}}'";

/** What prints the names to choose from. */
const LISTERS: Readonly<Record<NonNullable<CommandName['completes']>, string>> = {
  images: IMAGES,
  containers: CONTAINERS,
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
    const list = objects === undefined ? '' : `; [[ $cur == -* ]] || words="$({ ${LISTERS[objects]}; } 2>/dev/null)"`;
    return `    ${forms.map((form) => `'${form}'`).join('|')}) words='${words}'${list} ;;`;
  });
  const groups = Object.keys(GROUPS).map((group) => `    '${group}') words='${verbsOf(commands, group).join(' ')}' ;;`);
  return `# bash completion for veneer
_veneer() {
  local cur=\${COMP_WORDS[COMP_CWORD]} form='' words='' at word
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
    return `    ${forms.map((form) => form.replace(' ', '\\ ')).join('|')}) if [[ $PREFIX == -* ]]; then compadd -- ${words}; else ${list}; fi ;;`;
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
      for (const { names, description } of flags) {
        const spelled = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
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
  return generate?.(await Promise.all(COMMANDS.map((entry) => describe(entry))));
}
