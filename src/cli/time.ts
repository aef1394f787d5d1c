// Times as docker prints them (github.com/docker/go-units, duration.go).

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in seconds in words: `About a minute`, `3 weeks`. */
export function humanDuration(seconds: number): string {
  const whole = (unit: number): number => Math.floor(seconds / unit);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < MINUTE) return `${whole(1)} seconds`;
  if (seconds < 2 * MINUTE) return 'About a minute';
  if (seconds < HOUR) return `${whole(MINUTE)} minutes`;
  if (Math.round(seconds / HOUR) === 1) return 'About an hour';
  const hours = Math.round(seconds / HOUR);
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(seconds / DAY / 365)} years`;
}

/** How long ago: `2 hours ago`, or `N/A` for no time. */
export function ago(date: Date | undefined, now = new Date()): string {
  if (date === undefined || Number.isNaN(date.getTime())) return 'N/A';
  return `${humanDuration((now.getTime() - date.getTime()) / 1000)} ago`;
}

/** Made when it is first needed, and once: it is slow to make, and slow to ask. */
let zoneFormat: Intl.DateTimeFormat | undefined;
const zoneNames = new Map<string, string>();

/** `CEST`. Within a year, an offset has one name. */
function zoneName(date: Date): string {
  const key = `${String(date.getFullYear())} ${String(date.getTimezoneOffset())}`;
  let name = zoneNames.get(key);
  if (name === undefined) {
    zoneFormat ??= new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' });
    name = zoneFormat.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    zoneNames.set(key, name);
  }
  return name;
}

const two = (value: number): string => String(Math.abs(value)).padStart(2, '0');

/** A time with its zone, as docker's CreatedAt: `2024-05-01 12:00:00 +0200 CEST`. */
export function timestamp(date: Date | undefined): string {
  if (date === undefined || Number.isNaN(date.getTime())) return 'N/A';
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}${two(offset % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${zoneName(date)}`.trimEnd();
}
