/**
 * The cookies of a node: its own, and those it shares with single peers, as `erlang:set_cookie/2` has them. A peer's cookie counts in both
 * directions, from the next handshake on. Source: auth.erl (`get_cookie`, `set_cookie`).
 */
import { checkCookie, type Cookie } from './cookie.js'
import { parseNodeName } from './node-name.js'

export class Cookies {
  #own: Cookie
  /** By name as text: no peer's name becomes an atom here. */
  readonly #others = new Map<string, Cookie>()

  /** @throws NodeNameError, CookieError COOKIE_FORMAT for what cannot be a name or a cookie among `others`. */
  constructor(own: Cookie, others: Readonly<Record<string, string>> = {}) {
    this.#own = own
    for (const [name, cookie] of Object.entries(others)) this.set(name, cookie, '')
  }

  get own(): string {
    return this.#own.value
  }

  of(peer: string): string {
    return this.#of(peer).value
  }

  /** Where that cookie is from, for people */
  from(peer: string): string {
    return this.#of(peer).from
  }

  #of(peer: string): Cookie {
    return this.#others.get(peer) ?? this.#own
  }

  /** Under the node's own name `self`: the cookie for all that have none of their own. @throws NodeNameError, CookieError COOKIE_FORMAT. */
  set(name: string, cookie: string, self: string): void {
    const { full, ...checked } = checkSet(name, cookie)
    if (full === self) this.#own = checked
    else this.#others.set(full, checked)
  }
}

/** What is set for a node, whose name is `full`. @throws NodeNameError, CookieError COOKIE_FORMAT. */
export function checkSet(name: string, cookie: string): Cookie & { readonly full: string } {
  const { full } = parseNodeName(name)
  const from = `what is set for ${full}`
  return { full, value: checkCookie(cookie, from), from }
}
