/**
 * TLS under the distribution, as inet_tls_dist does it: the frames are the same, but those of the handshake have a length of four bytes.
 *
 *     dialler                                  listener
 *     tls.connect(socket, host) ── hello ──→   tls.accept(socket)
 *     certificate for that host?  ←────────    certificate
 *     certificate ────────────────────────→    from a trusted authority? Its host is not looked at: a peer can dial from anywhere
 *     carrier ═════════════════════════════    carrier
 *
 * Sessions are not resumed: each connection shows its certificates. `node:tls` checks a certificate after the handshake is done, so a peer whose
 * certificate is refused here is told nothing but the end of the connection.
 */
import { isIP, type Socket } from 'node:net'
import {
  checkServerIdentity,
  connect as connectTls,
  type DetailedPeerCertificate,
  type SecureContextOptions,
  Server,
  type TLSSocket,
} from 'node:tls'
import type { Carrier } from './carrier.js'
import type { NetError } from './errors.js'
import { step, type StepLimits } from './step.js'
import { addressOf, TcpCarrier } from './tcp-carrier.js'
import { type TlsFact, tlsFact } from './tls-fact.js'
import { type TlsCause, tlsFault, type TlsPeer, tlsSilence } from './tls-faults.js'
import { material } from './tls-material.js'
import { TlsError, type TlsClient, type TlsOptions, type TlsServer, type TlsSides } from './tls-options.js'
import { readOptfile } from './tls-optfile.js'

/** Certificates above the peer's own, without the root: OTP's default */
const defaultDepth = 10

interface Ready<S> {
  readonly side: S
  readonly context: SecureContextOptions
}

/** The prefix of handshake frames over TLS */
const prefix = 4

/** The type of the record that TLS begins with */
const handshakeRecord = 22

/** A fatal alert, protocol_version */
const protocolVersionAlert = Buffer.of(21, 3, 3, 0, 2, 2, 70)

export class Tls {
  readonly #client: Ready<TlsClient>
  /** null: nobody can dial */
  readonly #server: Ready<TlsServer> | null

  private constructor(client: Ready<TlsClient>, server: Ready<TlsServer> | null) {
    this.#client = client
    this.#server = server
  }

  /** Reads and checks everything. `listens`: other nodes can dial this one. @throws TlsError */
  static async open(options: TlsOptions, { listens }: { readonly listens: boolean }): Promise<Tls> {
    const { client, server } = await sidesOf(options)
    const dialling = { side: client, context: await material(client, 'client') }
    return new Tls(dialling, listens ? { side: server, context: await material(server, 'server') } : null)
  }

  /**
   * Takes a socket that has just been connected to that host. It is destroyed when this rejects.
   *
   * @throws NetError NET_TLS_…, NET_ABORTED
   */
  async connect(socket: Socket, host: string, limits: StepLimits, learned?: (fact: TlsFact) => void): Promise<Carrier> {
    const { side, context } = this.#client
    const { verify = true, serverName = host, depth = defaultDepth } = side
    const peer = { remoteAddress: addressOf(socket), dialled: host }
    return this.#secured(socket, peer, limits, (up, failed) => {
      const secured = connectTls({
        ...context,
        socket,
        // No address is told: RFC 6066.
        ...(serverName === false || isIP(serverName) ? {} : { servername: serverName }),
        rejectUnauthorized: verify,
        checkServerIdentity: (_, cert) => (serverName === false ? undefined : checkServerIdentity(serverName, cert)),
      })
      secured.once('secureConnect', () => {
        if (verify && (certificatesAbove(secured) ?? 0) > depth) return failed(tooLong())
        learned?.(tlsFact(secured))
        up(secured)
      })
      secured.on('error', failed)
      secured.once('close', () => failed(undefined))
    })
  }

  /**
   * Takes the socket of a node that dialled. It is destroyed when this rejects.
   *
   * @throws NetError NET_TLS_…, NET_ABORTED
   */
  async accept(socket: Socket, limits: StepLimits): Promise<Carrier> {
    if (!this.#server) throw new TlsError('TLS_MISSING', 'This node was told that nobody dials it, and has no certificate for that.')
    const { side, context } = this.#server
    const { verify = true, requireCert = verify, depth = defaultDepth } = side
    const peer = { remoteAddress: addressOf(socket), dialled: null }
    return this.#secured(socket, peer, limits, (up, failed) => {
      const gone = (): void => failed(undefined)
      socket.once('close', gone)
      socket.once('readable', () => {
        const first = socket.read() as Buffer | null
        // The end: `close` follows.
        if (first === null) return
        if (first[0] !== handshakeRecord) {
          // So that it knows, too, why. OpenSSL would say nothing.
          socket.write(protocolVersionAlert, () => failed(named('ERR_SSL_WRONG_VERSION_NUMBER')))
          return
        }
        socket.off('close', gone).unshift(first)
        // One for each socket: it alone tells which socket it is that failed.
        const server = new Server({ ...context, requestCert: verify, rejectUnauthorized: requireCert })
        server.once('secureConnection', secured => {
          // What is told of one that is given up says nothing new.
          secured.on('error', () => {})
          const above = certificatesAbove(secured)
          // A certificate that need not be shown must be good when it is.
          if (verify && above !== null && !secured.authorized) failed(named(secured.authorizationError))
          else if (verify && above !== null && above > depth) failed(tooLong())
          else up(secured)
        })
        server.once('tlsClientError', (error, secured) => failed(named(secured.authorizationError) ?? error))
        server.emit('connection', socket)
      })
    })
  }

  async #secured(
    socket: Socket,
    peer: TlsPeer,
    limits: StepLimits,
    begin: (up: (secured: TLSSocket) => void, failed: (cause: TlsCause) => void) => void,
  ): Promise<Carrier> {
    // What is told of a socket that is given up says nothing new.
    socket.on('error', () => {})
    try {
      const explain = (cause: TlsCause): NetError => tlsFault(cause, peer)
      const late = (): NetError => tlsSilence(peer, limits.timeout)
      return await step(limits, late, (done, failed) =>
        begin(
          secured => done(new TcpCarrier(secured, limits.clock, { prefix, explain })),
          cause => failed(explain(cause)),
        ),
      )
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

async function sidesOf({ optfile, server, client, ...both }: TlsOptions): Promise<TlsSides> {
  if (optfile === undefined) return { server: { ...both, ...server }, client: { ...both, ...client } }
  const more = Object.entries({ server, client, ...both }).find(([, value]) => value !== undefined)
  if (more) throw new TlsError('TLS_OPTION', `tls.optfile says everything: leave tls.${more[0]} out, or write it there.`)
  return readOptfile(optfile)
}

/** The certificates between the peer's own and the root; null when it has shown none. */
function certificatesAbove(socket: TLSSocket): number | null {
  // Asked for once: on a server `node:tls` gives the chain only the first time.
  const own = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate>
  if (own.raw === undefined) return null
  let count = -1
  let issuer = own.issuerCertificate
  while (issuer) {
    count++
    if (issuer.issuerCertificate === issuer) break
    issuer = issuer.issuerCertificate
  }
  return count
}

const tooLong = (): TlsCause => named('CERT_CHAIN_TOO_LONG')

/** What OpenSSL says about a certificate, as `node:tls` throws it. */
function named(code: unknown): TlsCause {
  return code ? Object.assign(new Error(String(code)), { code: String(code) }) : undefined
}
