import { readFileSync } from 'node:fs';

/** The version in package.json. */
export function version(): string {
  const document: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof document === 'object' && document !== null && 'version' in document) return String(document.version);
  return 'unknown';
}

/** What `--version` prints. */
export function versionLine(): string {
  return `veneer ${version()}`;
}
