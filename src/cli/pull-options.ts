// The options of commands that pull an image where it is missing: docker's words.

import { Option } from 'commander';
import type { Command } from 'commander';
import { addRegistryOptions } from './registry.js';
import type { RegistryOptions } from './registry.js';

const POLICIES = ['always', 'missing', 'never'] as const;
export type PullPolicy = (typeof POLICIES)[number];

export interface PullOptions extends RegistryOptions {
  readonly pull: PullPolicy;
  readonly platform?: string;
  readonly quiet?: true;
}

export function addPullOptions(command: Command): Command {
  command
    .addOption(
      new Option('--pull <when>', 'when to ask the registry for the image').choices(POLICIES).default('missing'),
    )
    .option('--platform <platform>', 'the image for OS/ARCH[/VARIANT]');
  return addRegistryOptions(command);
}
