/**
 * Why a node can be reached, or why not, step by step. There is no second way to a node: a diagnosis connects as any hidden node does, looks
 * on, asks for a ping and leaves. So its steps fail with what `connect` would throw.
 */
import { isIP } from 'node:net'
import { Node } from './beamlet.js'
import { addressesOf } from './net/host.js'
import { type Cookie, CookieError, findCookie } from './node/cookie.js'
import { Cookies } from './node/cookies.js'
import * as found from './node/diagnosis.js'
import type { DiagnosisStep, DiagnosisStepName, Found } from './node/diagnosis.js'
import { checkDomain, type OwnNodeName, ownNodeName, parseNodeName } from './node/node-name.js'
import { open } from './node/open.js'
import type { NodeOptions } from './node/options.js'
import { ownName } from './node/own-name.js'
import { netSetupTime, type NodeFact, type Probe } from './node/parts.js'
import { ping } from './ping.js'
import { NodeError } from './term/index.js'

export interface DiagnoseOptions extends Pick<NodeOptions, 'cookie' | 'cookies' | 'hidden' | 'epmdPort' | 'resolve' | 'tls'> {
  /** The name to come with. Default: a new one, with a host of the same kind as the node's. The `@host` may be left out. */
  readonly name?: string | undefined
  /** Milliseconds for each step, at most 7000. Default: 7000 */
  readonly timeout?: number | undefined
}

/**
 * Says step by step what works on the way to a node: name, host, epmd, port, tls, handshake, flags, cookie, visibility, ping. The first step
 * that fails is the last, and says what to do.
 *
 * The node that is asked meets a hidden node that connects, asks for a ping and leaves. A connection that it holds to another node of the
 * same name lives on.
 *
 * @example
 * ```ts
 * import { diagnose, Node } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * await using node = await Node.start({ name: 'patient@127.0.0.1', cookie: 'secret' })
 * for await (const { step, ok, says, code, remedy } of diagnose('patient@127.0.0.1', { cookie: 'other' })) {
 *   if (ok) continue
 *   assert.deepEqual([step, code], ['cookie', 'DIST_BAD_COOKIE'])
 *   console.log(says, remedy)
 * }
 * ```
 */
export async function* diagnose(target: string, options: DiagnoseOptions = {}): AsyncGenerator<DiagnosisStep, void, void> {
  const timeout = Math.min(options.timeout ?? netSetupTime, netSetupTime)
  const visit = new Visit(target, { ...options, timeout })
  try {
    yield* visit.take('name', () => visit.open())
    if (visit.over) return
    yield* visit.take('host', () => visit.resolve(timeout))
    if (visit.over) return
    yield* visit.connect()
    if (visit.over) return
    yield* visit.take('ping', async () => {
      await ping(visit.node, target, timeout)
      return found.pingFound
    })
  } finally {
    await visit.close()
  }
}

class Visit implements Probe {
  readonly #target: string
  readonly #options: DiagnoseOptions
  #node: Node | null = null
  /** Why there is none to prove anything with */
  #noCookie: CookieError | null = null
  /** Where the cookie is from */
  #from = ''
  #over = false
  /** The step that fails when nothing more is learned */
  #next: DiagnosisStepName = 'name'
  #since = performance.now()
  #steps: DiagnosisStep[] = []
  #arrived = (): void => {}
  #status = ''

  constructor(target: string, options: DiagnoseOptions) {
    this.#target = target
    this.#options = options
  }

  /** A step has failed. */
  get over(): boolean {
    return this.#over
  }

  get node(): Node {
    return this.#node as Node
  }

  async open(): Promise<Found> {
    const peer = parseNodeName(this.#target)
    const { name, cookie, cookies: others, hidden = true, epmdPort, resolve, tls, timeout = netSetupTime } = this.#options
    const own: OwnNodeName = await ownNodeName(ownName(name, peer.host))
    checkDomain(own.domain, peer)
    // Without a cookie there is still much to be found out.
    const known = await findCookie({ cookie }).catch((error: unknown): Cookie => {
      if (!(error instanceof CookieError)) throw error
      if (others?.[peer.full] === undefined) this.#noCookie = error
      return { value: 'none', from: 'nowhere' }
    })
    const options = {
      name: own.full,
      cookie: known.value,
      hidden,
      epmdPort,
      resolve,
      tls,
      netSetupTime: timeout,
      listen: hidden ? (false as const) : undefined,
    }
    const cookies = new Cookies(known, others)
    this.#from = cookies.from(peer.full)
    this.#node = await open(options, parts => new Node({ ...parts, cookies, probe: this }))
    return found.nameFound(this.#target, own)
  }

  async resolve(timeout: number): Promise<Found> {
    const { host } = parseNodeName(this.#target)
    if (this.#options.resolve !== undefined) return found.hostUnasked(host)
    return found.hostFound(host, isIP(host) ? [host] : await addressesOf(host, timeout))
  }

  /** The steps from EPMD to visibility, as they come. */
  async *connect(): AsyncGenerator<DiagnosisStep, void, void> {
    this.#next = 'epmd'
    const { hidden = true } = this.#options
    let done = false
    const attempt = this.node
      .connect(this.#target)
      .then(
        () => {
          const connection = this.node.main?.peers.connectionTo(this.#target)
          this.#learn('cookie', found.cookieFound(this.#from), 'visibility')
          if (connection) this.#learn('visibility', found.visibilityFound(connection.peer, hidden), 'ping')
        },
        (error: unknown) => this.#fail(error),
      )
      .finally(() => (done = true))
    for (;;) {
      const next = this.#steps.shift()
      if (next) yield next
      else if (done) break
      else await Promise.race([attempt, new Promise<void>(resolve => (this.#arrived = resolve))])
    }
    await attempt
  }

  learned(fact: NodeFact): void {
    switch (fact.of) {
      case 'located': {
        const { host, port, entry } = fact
        return this.#learn('epmd', entry ? found.epmdFound(host, this.node.epmd.port, entry) : found.resolvedFound(host, port), 'port')
      }
      case 'connected':
        return this.#learn('port', found.portFound(fact.address), 'handshake')
      case 'tls':
        return this.#learn('tls', found.tlsFound(fact), 'handshake')
      case 'status':
        this.#status = fact.status
        return this.#plain()
      case 'challenge': {
        this.#learn('handshake', found.handshakeFound(fact.name, fact.creation, this.#status), 'flags')
        const flags = found.flagsFound(fact.flags, this.#options.hidden === false)
        if (!flags) return
        this.#learn('flags', flags, 'cookie')
        if (this.#noCookie) throw this.#noCookie
      }
    }
  }

  /** That node is connected with another of our name: it stays so. */
  whenAlive(): boolean {
    return false
  }

  /** A step of its own. */
  async *take(step: DiagnosisStepName, work: () => Promise<Found>): AsyncGenerator<DiagnosisStep, void, void> {
    this.#next = step
    this.#since = performance.now()
    await work().then(
      found => this.#learn(step, found, step),
      (error: unknown) => this.#fail(error),
    )
    yield this.#steps.shift() as DiagnosisStep
  }

  async close(): Promise<void> {
    await this.#node?.close()
  }

  #learn(step: DiagnosisStepName, { says, details }: Found, next: DiagnosisStepName): void {
    this.#steps.push({ step, ok: true, says, milliseconds: this.#lap(), details })
    this.#next = next
    this.#arrived()
  }

  #fail(error: unknown): void {
    this.#over = true
    const step = error instanceof NodeError && error.code.startsWith('NET_TLS_') ? 'tls' : this.#next
    const milliseconds = this.#lap()
    // Whoever answers nothing has not objected to a plain connection either.
    if (step === 'handshake' && this.#status === '') this.#plain()
    this.#steps.push(found.failed(step, error, milliseconds))
  }

  #plain(): void {
    if (this.#options.tls === undefined) this.#learn('tls', found.noTls, 'handshake')
  }

  #lap(): number {
    const before = this.#since
    this.#since = performance.now()
    return this.#since - before
  }
}
