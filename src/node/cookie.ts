import { NodeError } from '../term/index.js'

export class CookieError extends NodeError {}

export interface Cookie {
  /** Latin-1, 1 to 255 characters */
  readonly value: string
  /** For people: `the cookie option`, `BEAMLET_COOKIE`, or a file's path. Never shows the cookie. */
  readonly from: string
}

export interface CookieOptions {
  /** Goes before everything else */
  readonly cookie?: string | undefined
  /** Write `~/.erlang.cookie` with a random cookie when there is none anywhere, as `erl` does. False: see the file's header. */
  readonly create?: boolean | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly home?: string | undefined
}

/** @throws CookieError COOKIE_NONE, COOKIE_PERMISSIONS, COOKIE_UNREADABLE, COOKIE_FORMAT. */
export declare function findCookie(options?: CookieOptions): Promise<Cookie>
