/**
 * The cookie: the secret that all nodes of a cluster share. Looked for in this order:
 *
 * 1. the option (`cookie`, on the command line `--cookie`)
 * 2. the environment: `BEAMLET_COOKIE`, then `RELEASE_COOKIE`, which Elixir releases set
 * 3. `~/.erlang.cookie`
 * 4. `$XDG_CONFIG_HOME/erlang/.erlang.cookie` (`~/.config/…`), as OTP 25 and later do
 *
 * `erl` makes a file when it finds none. Beamlet does so only when it is asked to (`create`): a service that is deployed without its secret
 * shall say so, not be alone in a cluster of its own. Source: auth.erl, `read_cookie`, `check_attributes`, `check_cookie`, `create_cookie`.
 */
import { randomInt } from 'node:crypto'
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { NodeError } from '../term/index.js'

/** Bytes: far more than a cookie and its newlines */
const longestFile = 4096

/**
 * COOKIE_NONE: there is none anywhere. COOKIE_PERMISSIONS: others than the owner can use the file. COOKIE_UNREADABLE: it cannot be read, or is
 * no file. COOKIE_FORMAT: what is there cannot be a cookie. COOKIE_CREATE: it could not be written.
 */
export class CookieError extends NodeError {}

export interface Cookie {
  /** 1 to 255 characters of Latin-1: its digest is that of its Latin-1 bytes */
  readonly value: string
  /** For people: `the cookie option`, `BEAMLET_COOKIE`, or a file's path. Errors and logs show this, never the cookie. */
  readonly from: string
}

export interface CookieOptions {
  /** Goes before everything else */
  readonly cookie?: string | undefined
  /** Write `~/.erlang.cookie` with a random cookie when there is none anywhere, as `erl` does. False. */
  readonly create?: boolean | undefined
  /** Default: process.env */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Default: $HOME, else the user's home folder */
  readonly home?: string | undefined
}

/**
 *     const { value, from } = await findCookie({ cookie: options.cookie })
 *
 * @throws CookieError COOKIE_NONE, COOKIE_PERMISSIONS, COOKIE_UNREADABLE, COOKIE_FORMAT; with `create`, COOKIE_CREATE.
 */
export async function findCookie(options: CookieOptions = {}): Promise<Cookie> {
  const { cookie, create = false, env = process.env, home = env['HOME'] || homedir() } = options
  if (cookie !== undefined) return { value: checkCookie(cookie, 'the cookie option'), from: 'the cookie option' }
  for (const variable of ['BEAMLET_COOKIE', 'RELEASE_COOKIE']) {
    const value = env[variable]
    if (value) return { value: checkCookie(value, variable), from: variable }
  }
  const atHome = join(home, '.erlang.cookie')
  const paths = [atHome, join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'erlang', '.erlang.cookie')]
  for (const path of paths) {
    const value = await readCookieFile(path)
    if (value !== null) return { value, from: path }
  }
  if (create) return createCookieFile(atHome)
  const remedy = `Give one (--cookie), set BEAMLET_COOKIE, or copy the cluster's .erlang.cookie to ${atHome} (mode 0400).`
  throw new CookieError('COOKIE_NONE', 'No cookie was found, and a node needs the one of its cluster.', { remedy })
}

/** A cookie that was said, not read from a file. A newline in it would only make every handshake fail. @throws CookieError COOKIE_FORMAT. */
export function checkCookie(value: string, from: string): string {
  if (/^[ -~\u00a0-\u00ff]{1,255}$/.test(value)) return value
  throw new CookieError('COOKIE_FORMAT', `The cookie in ${from} is none: it has 1 to 255 printable Latin-1 characters, and no newline.`)
}

/** Null when there is no such file. */
async function readCookieFile(path: string): Promise<string | null> {
  try {
    const file = await stat(path)
    if (!file.isFile())
      throw new CookieError('COOKIE_UNREADABLE', `${path} is no regular file: put the cookie there, or give it otherwise.`)
    if (process.platform !== 'win32' && (file.mode & 0o077) !== 0)
      throw new CookieError('COOKIE_PERMISSIONS', `${path} must be accessible by its owner only: run chmod 400 ${path}.`)
    return cookieIn(file.size > longestFile ? '' : await readFile(path, 'latin1'), path)
  } catch (error) {
    if (error instanceof CookieError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new CookieError('COOKIE_UNREADABLE', `${path} cannot be read (${code}): check who owns it.`, { cause: error })
  }
}

/** The printable ASCII at the beginning, spaces too; behind it only newlines, carriage returns and spaces. */
function cookieIn(text: string, path: string): string {
  const cookie = /^([ -~]+)[\n\r ]*$/.exec(text)?.[1]
  if (cookie !== undefined && cookie.length <= 255) return cookie
  const rule = 'one line of 1 to 255 printable ASCII characters'
  throw new CookieError('COOKIE_FORMAT', `${path} does not hold a cookie, which is ${rule}: write the cluster's there, or remove the file.`)
}

/** Twenty random capitals, mode 0400. When another process is faster, its cookie is the one. */
async function createCookieFile(path: string): Promise<Cookie> {
  const value = Array.from({ length: 20 }, () => String.fromCharCode(randomInt(65, 91))).join('')
  const draft = `${path}.${process.pid}.${randomInt(2 ** 32)}`
  try {
    // Whoever reads the file must find it whole and already private, so it gets its name last.
    await writeFile(draft, value, { mode: 0o400, flag: 'wx' })
    await link(draft, path)
    return { value, from: path }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const other = code === 'EEXIST' ? await readCookieFile(path) : null
    if (other !== null) return { value: other, from: path }
    throw new CookieError(
      'COOKIE_CREATE',
      `${path} could not be written (${code}): give a cookie otherwise, or make that folder writable.`,
      {
        cause: error,
      },
    )
  } finally {
    await rm(draft, { force: true })
  }
}
