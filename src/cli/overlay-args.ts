// The command line of `veneer overlay`: that of fuse-overlayfs and of mount(8)'s helpers.

import { VeneerError } from '../core/index.js';
import type { OverlayOptions } from '../overlay/index.js';
import { parseId, parseIdMap, ruleOf, splitLayers, splitOptions, unescape } from './overlay-options.js';
import type { MountOption } from './overlay-options.js';
import type { MountInvocation } from './invocation.js';

export type OverlayCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** mount -f: everything but the mount. */
  | { readonly kind: 'fake' }
  | {
      readonly kind: 'mount';
      readonly request: OverlayOptions;
      readonly foreground: boolean;
      readonly verbose: boolean;
      /** One line each, about what is passed over. */
      readonly warnings: readonly string[];
    };

type Draft = { -readonly [Key in keyof OverlayOptions]?: OverlayOptions[Key] };

function applyOption(draft: Draft, { name, value }: MountOption, warnings: string[]): void {
  const rule = ruleOf(name);
  if (rule === undefined) {
    warnings.push(`unknown option '${name}' is passed over`);
    return;
  }
  switch (rule.kind) {
    case 'silent':
      return;
    case 'flag':
      Object.assign(draft, { [rule.field]: true });
      return;
    case 'passed-over': {
      if (rule.check !== undefined && !rule.check(value ?? '')) {
        throw new VeneerError('usage', `option ${name}: '${value ?? ''}' is not a value it can have`);
      }
      if (rule.quiet?.includes(value ?? '') !== true) warnings.push(`option '${name}' has no effect yet`);
      return;
    }
    case 'seconds':
      if (!/^\d+(\.\d+)?$/.test(value ?? '')) {
        throw new VeneerError('usage', `option ${name}: '${value ?? ''}' is not a number of seconds`);
      }
      Object.assign(draft, { [rule.field]: Number(value) });
      return;
    case 'choice':
      if (!Object.hasOwn(rule.values, value ?? '')) {
        throw new VeneerError('usage', `option ${name}: '${value ?? ''}' is not a value it can have`);
      }
      Object.assign(draft, { [rule.field]: rule.values[value ?? ''] });
      return;
    case 'id':
      Object.assign(draft, { [rule.field]: parseId(name, value ?? '') });
      return;
    case 'id-map': {
      const ranges = parseIdMap(name, value ?? '');
      if (ranges !== undefined) Object.assign(draft, { [rule.field]: ranges });
      return;
    }
    case 'text':
    case 'layer':
    case 'layers':
      break;
  }
  if (value === undefined || value === '') {
    throw new VeneerError('usage', `option ${name}: the directory is missing`, { hint: `-o ${name}=DIR` });
  }
  if (rule.kind === 'text') Object.assign(draft, { [rule.field]: unescape(value) });
  else if (rule.kind === 'layers') draft.lowerdir = splitLayers(value);
  else draft.lowerdir = [...(draft.lowerdir ?? []), unescape(value)];
}

/** Letters with a value of their own: `-o`, and those mount(8) hands to a helper. */
const WITH_VALUE: Readonly<Record<'helper' | 'program', string>> = { helper: 'otN', program: 'o' };
const KNOWN: Readonly<Record<'helper' | 'program', string>> = { helper: 'fsnvrwhV', program: 'fdshV' };

interface Words {
  readonly letters: Set<string>;
  readonly lists: string[];
  readonly positionals: string[];
  readonly warnings: string[];
}

function readWords(args: readonly string[], mode: 'helper' | 'program'): Words {
  const words: Words = { letters: new Set(), lists: [], positionals: [], warnings: [] };
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const letter = arg[1] ?? '';
    if (arg === '--') {
      words.positionals.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') words.positionals.push(arg);
    else if (arg === '--help') words.letters.add('h');
    else if (arg === '--version') words.letters.add('V');
    else if (arg === '--debug' && mode === 'program') words.letters.add('d');
    else if (/^--transport(=|$)/.test(arg) && mode === 'program') {
      const value = arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : args[(at += 1)];
      if (value === undefined) throw new VeneerError('usage', '--transport needs a value');
      words.lists.push(`transport="${value}"`);
    } else if (!arg.startsWith('--') && WITH_VALUE[mode].includes(letter)) {
      const value = arg.length > 2 ? arg.slice(2) : args[(at += 1)];
      if (value === undefined) throw new VeneerError('usage', `-${letter} needs a value`);
      if (letter === 'o') words.lists.push(value);
    } else if (!arg.startsWith('--') && Array.from(arg.slice(1)).every((it) => KNOWN[mode].includes(it))) {
      for (const it of arg.slice(1)) words.letters.add(it);
    } else words.warnings.push(`unknown option '${arg}' is passed over`);
  }
  return words;
}

function mountpointOf(positionals: readonly string[]): string {
  const mountpoint = positionals.at(-1);
  if (mountpoint === undefined || mountpoint === '') {
    throw new VeneerError('usage', 'overlay: the mount point is missing', {
      hint: 'veneer overlay -o lowerdir=A:B,upperdir=U,workdir=W MOUNTPOINT',
    });
  }
  if (positionals.length > 2) {
    throw new VeneerError('usage', `overlay: too many arguments (${positionals.slice(0, 4).join(', ')})`, {
      hint: 'at most a source, which is not used, and the mount point',
    });
  }
  return mountpoint;
}

/** Reads a command line. Throws `usage`. */
export function parseOverlayArgs({ args, helper }: MountInvocation): OverlayCommand {
  const { letters, lists, positionals, warnings } = readWords(args, helper ? 'helper' : 'program');
  if (letters.has('h')) return { kind: 'help' };
  if (letters.has('V')) return { kind: 'version' };
  const mountpoint = mountpointOf(positionals);
  const draft: Draft = {};
  for (const option of lists.flatMap(splitOptions)) applyOption(draft, option, warnings);
  if (helper && letters.has('r')) draft.readOnly = true;
  const { lowerdir, ...rest } = draft;
  if (lowerdir === undefined) {
    throw new VeneerError('usage', 'overlay: no lowerdir is given', {
      hint: '-o lowerdir=TOP:...:BOTTOM names the read-only directories',
    });
  }
  if (helper && letters.has('f')) return { kind: 'fake' };
  const verbose = !helper && letters.has('d');
  const foreground = verbose || (!helper && letters.has('f'));
  const [first = ''] = positionals;
  const source = positionals.length === 2 && first !== '' ? { source: first } : {};
  return { kind: 'mount', request: { ...rest, ...source, lowerdir, mountpoint }, foreground, verbose, warnings };
}
