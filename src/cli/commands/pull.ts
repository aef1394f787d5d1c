import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { familiarName, formatReference, isNameOnly, parsePlatform } from '../../image/index.js';
import type { Reference } from '../../image/index.js';
import type { PulledImage, PullOptions } from '../../transfer/index.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { addLimitOptions, limitsOf } from '../limits.js';
import type { LimitOptions } from '../limits.js';
import { writeLine } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { digestLine, PullProgress, statusLine } from '../pull-progress.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { remoteReference } from '../remote-reference.js';
import { withStore } from '../store.js';

interface Options extends LimitOptions, RegistryOptions {
  readonly allTags?: true;
  readonly platform?: string;
  readonly quiet?: true;
}

/** Throws `usage`. */
function referenceOf(text: string, allTags: boolean): Reference {
  const reference = remoteReference(text);
  if (allTags && !isNameOnly(text)) {
    throw new VeneerError('usage', `--all-tags goes with a name alone, not with '${text.slice(0, 300)}'`);
  }
  return reference;
}

const nameOf = ({ registry, repository }: Reference): Reference => ({ registry, repository });

export function configure(command: Command): void {
  command
    .argument('<name>', 'NAME[:TAG|@DIGEST]; without one, the tag latest')
    .option('-a, --all-tags', 'every tag of the repository')
    .option('--platform <platform>', 'of an image for several, the one to pull: OS/ARCH[/VARIANT]')
    .option('-q, --quiet', 'no progress; prints the name alone');
  addRegistryOptions(command);
  addLimitOptions(command).action(async (text: string, options: Options) => {
    const { allTags = false, platform, quiet = false } = options;
    const reference = referenceOf(text, allTags);
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    const limits = limitsOf(options);
    const { pullAllTags, pullImage } = await import('../../transfer/index.js');
    using board = new ProgressBoard({ quiet });
    const say = (line: string): void => board.aside(() => writeLine(line));
    const progress = new PullProgress(board);
    const told = (pulled: PulledImage): void => {
      progress.found();
      if (!quiet) say(digestLine(pulled));
    };
    const end = (of: Reference, isNew: boolean): void => {
      if (!quiet) say(statusLine({ reference: of, isNew }));
      say(formatReference(of));
    };
    await withStore(command, (store) =>
      withRegistry(
        options,
        (client) =>
          interruptible(async (signal) => {
            const pulling: PullOptions = { platform: wanted, limits, signal, onProgress: progress.onProgress };
            const begin = (of: Reference): void => progress.begin(of);
            if (!allTags) {
              begin(reference);
              const pulled = await pullImage(store, client, reference, pulling);
              told(pulled);
              end(reference, pulled.isNew);
              return;
            }
            const onSkipped = (of: Reference, { message }: Error): void =>
              board.note(`${of.tag ?? ''}: skipped: ${message}`);
            const all = await pullAllTags(store, client, reference, {
              ...pulling,
              onPull: begin,
              onPulled: told,
              onSkipped,
            });
            const name = nameOf(reference);
            if (all.length === 0)
              throw new VeneerError('not-found', `${familiarName(name)} has no tag that is an image`);
            end(
              name,
              all.some(({ isNew }) => isNew),
            );
          }),
        { board },
      ),
    );
  });
  addExamples(command, [
    ['veneer pull debian', 'docker.io/library/debian:latest'],
    ['veneer pull --platform linux/arm64 ghcr.io/org/app:v1', 'for another machine'],
    ['veneer pull localhost:5000/app@sha256:…', 'the very one'],
    ['veneer pull -q --all-tags quay.io/org/app', 'every tag, for scripts'],
  ]);
}
