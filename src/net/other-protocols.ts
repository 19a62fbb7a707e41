/** What speaks on a port where no Erlang node does: named by its first bytes, so that an error can say it. */
import { NetError } from './errors.js'

const greetings: readonly (readonly [RegExp, string])[] = [
  [/^(?:HTTP\/|[A-Z]{3,7} \S+ HTTP\/|<(?:!DOCTYPE|html))/i, 'HTTP'],
  [/^SSH-/, 'SSH'],
  [/^220[ -]/, 'SMTP or FTP'],
  [/^(?:-ERR|-DENIED|\+PONG)/, 'Redis'],
  [/^RFB \d/, 'VNC'],
]

/** A record of type alert (21) or handshake (22), version 3.x. An OTP node of inet_tls answers a plain name with an alert. */
const isTls = ([type, major]: Uint8Array): boolean => (type === 21 || type === 22) && major === 3

/** The protocol that begins so, or undefined. */
function otherProtocol(first: Uint8Array): string | undefined {
  if (isTls(first)) return 'TLS'
  const text = Buffer.from(first).toString('latin1')
  return greetings.find(([greeting]) => greeting.test(text))?.[1]
}

/** What of another protocol goes into a sentence: its name, or its first bytes when they are text, or nothing. */
export function heard(first: Uint8Array): string | undefined {
  const protocol = otherProtocol(first)
  if (protocol !== undefined) return `speaks ${protocol}`
  const [text] = /^[ -~]{4,}/.exec(Buffer.from(first).toString('latin1')) ?? []
  return text === undefined ? undefined : `says ${JSON.stringify(text)}`
}

/**
 * The error for a stream that begins with bytes of another protocol: NET_TLS_NEEDED when that is TLS, else NET_OTHER_PROTOCOL. Undefined when
 * they tell nothing.
 */
export function notDistribution(where: string, first: Uint8Array, cause: Error): NetError | undefined {
  const what = heard(first)
  if (what === undefined) return undefined
  if (isTls(first)) {
    return new NetError('NET_TLS_NEEDED', `What is at ${where} speaks TLS, and this connection is a plain one.`, {
      cause,
      remedy: 'Give both nodes TLS or neither: on the BEAM that is -proto_dist inet_tls.',
    })
  }
  return new NetError('NET_OTHER_PROTOCOL', `What is at ${where} ${what}: it is no Erlang node.`, {
    cause,
    remedy: 'Look which program has that port, and which port the node has.',
  })
}
