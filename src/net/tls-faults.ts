/**
 * Why a TLS connection does not come about: from what OpenSSL or the peer said to a code, a sentence, and what to do.
 *
 *     NET_TLS_PLAIN        this node speaks TLS, and the peer does not
 *     NET_TLS_SILENT       the peer said nothing to the beginning of TLS
 *     NET_TLS_CLOSED       it closed in the middle, without a reason
 *     NET_TLS_VERSION      no version in common
 *     NET_TLS_CIPHERS      no cipher in common
 *     NET_TLS_UNTRUSTED    its certificate is not from an authority that this node trusts
 *     NET_TLS_EXPIRED      its certificate is not valid any more, or not yet
 *     NET_TLS_HOST_NAME    its certificate is for other hosts
 *     NET_TLS_PURPOSE      its certificate is for the other side of a connection only
 *     NET_TLS_NO_CERT      one side demands a certificate, and the other has shown none
 *     NET_TLS_REFUSED      the peer does not accept this node's certificate, or what it proposed
 *     NET_TLS_FAILED       anything else, in OpenSSL's words
 *
 * And NET_TLS_NEEDED, when the peer speaks TLS and this node does not: see other-protocols.ts.
 */
import { NetError } from './errors.js'

/** The peer, as a sentence names it */
export interface TlsPeer {
  /** `address:port` */
  readonly remoteAddress: string
  /** The host name that was dialled; null: the peer dialled */
  readonly dialled: string | null
}

/** What TLS told: an error of `node:tls`, with its code or OpenSSL's message; nothing when the peer just closed. */
export type TlsCause = (Error & { readonly code?: string | undefined }) | undefined

type Fault = readonly [code: string, says: string, remedy: string]

/** Maps what TLS told to the error that is thrown by `connect` or told as a `protocol` event. The error's cause is what TLS told. */
export function tlsFault(cause: TlsCause, peer: TlsPeer): NetError {
  const [code, says, remedy] = cause === undefined ? closed(peer) : (alerted(cause, peer) ?? found(cause, peer))
  return new NetError(code, says, { cause, remedy })
}

/** TLS was not set up within so many milliseconds. */
export function tlsSilence({ remoteAddress, dialled }: TlsPeer, timeout: number): NetError {
  const [who, remedy] =
    dialled === null
      ? ['dialled', 'It hangs, or is no node with TLS.']
      : ['took the connection', 'It hangs, or was started without -proto_dist inet_tls: such a node waits until its own time is up.']
  return new NetError('NET_TLS_SILENT', `${remoteAddress} ${who}, and did not finish TLS within ${timeout} ms.`, { remedy })
}

/** What the peer found wrong, and said in an alert (RFC 8446, 6.2). Null: it was not the peer. */
function alerted({ message }: Error, { remoteAddress, dialled }: TlsPeer): Fault | null {
  const number = /SSL alert number (\d+)/.exec(message)?.[1]
  if (number === undefined) return null
  const alert = Number(number)
  const certificate = certificateAlerts.get(alert)
  if (certificate) {
    const [name, remedy] = certificate
    return ['NET_TLS_REFUSED', `${remoteAddress} does not accept this node's certificate (${name}).`, remedy]
  }
  switch (alert) {
    case 40: {
      const remedy =
        dialled === null
          ? "This node's certificate is not for the host that was dialled, or no cipher or signature algorithm is in common: its log says which."
          : 'It demands a certificate of this node, or no cipher or signature algorithm is in common: its log says which.'
      return ['NET_TLS_REFUSED', `${remoteAddress} refused the TLS handshake (handshake_failure).`, remedy]
    }
    case 70:
      return noVersion(remoteAddress)
    case 71:
      return noCipher(remoteAddress)
    case 116: {
      const remedy = 'Give tls.client a cert and a key (certfile, keyfile).'
      return ['NET_TLS_NO_CERT', `${remoteAddress} demands a certificate, and this node has shown none.`, remedy]
    }
  }
  return ['NET_TLS_REFUSED', `${remoteAddress} refused TLS with alert ${alert}.`, 'Its log says why.']
}

const certificateAlerts: ReadonlyMap<number, readonly [name: string, remedy: string]> = new Map([
  [42, ['bad_certificate', 'Its log says what is wrong with it.']],
  [
    43,
    [
      'unsupported_certificate',
      'Its extendedKeyUsage needs both serverAuth and clientAuth; or its key is of a kind that the peer cannot use.',
    ],
  ],
  [44, ['certificate_revoked', 'Get a new one.']],
  [45, ['certificate_expired', "Renew it, or set the peer's clock."]],
  [46, ['certificate_unknown', 'Its log says what is wrong with it.']],
  [48, ['unknown_ca', "Add this node's authority to the peer's cacertfile, and give the certificates between as part of cert."]],
  [49, ['access_denied', 'It takes other nodes only: its log says which.']],
  [51, ['decrypt_error', 'A signature does not fit: two authorities may have one name.']],
])

/** What this node found wrong. */
function found(cause: Error & { readonly code?: string | undefined }, { remoteAddress, dialled }: TlsPeer): Fault {
  const { code = '', message } = cause
  const certificate = `The certificate of ${remoteAddress}`
  switch (code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST': {
      const who =
        dialled === null ? `${remoteAddress} dialled without TLS, which this node demands.` : `What is at ${remoteAddress} speaks no TLS.`
      return ['NET_TLS_PLAIN', who, 'Give both nodes TLS or neither: on the BEAM that is -proto_dist inet_tls.']
    }
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_NO_PROTOCOLS_AVAILABLE':
      return noVersion(remoteAddress)
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
      return noCipher(remoteAddress)
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE': {
      const remedy = 'Give that node one, from an authority that this node trusts.'
      return ['NET_TLS_NO_CERT', `${remoteAddress} showed no certificate, which this node demands.`, remedy]
    }
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const names = (cause as { cert?: { subjectaltname?: string } }).cert?.subjectaltname ?? 'no host'
      const remedy = 'Add the host to its subjectAltName, or dial the node by a name that is there.'
      return ['NET_TLS_HOST_NAME', `${certificate} is for ${names}, and ${dialled} was dialled.`, remedy]
    }
    case 'CERT_HAS_EXPIRED':
      return ['NET_TLS_EXPIRED', `${certificate}, or of one above it, has expired.`, "Renew it, or set this machine's clock."]
    case 'CERT_NOT_YET_VALID':
      return ['NET_TLS_EXPIRED', `${certificate}, or of one above it, is not valid yet.`, "Set this machine's clock, or wait."]
    case 'INVALID_PURPOSE': {
      const use = dialled === null ? 'clientAuth' : 'serverAuth'
      return ['NET_TLS_PURPOSE', `${certificate} lacks ${use} in its extendedKeyUsage.`, 'A node dials and is dialled: it needs both.']
    }
    case 'CERT_CHAIN_TOO_LONG':
      return [
        'NET_TLS_UNTRUSTED',
        `${certificate} is farther from its root than depth allows.`,
        'Raise depth, or issue it nearer to the root.',
      ]
    case 'ECONNRESET':
    case 'EPIPE':
      return closed({ remoteAddress, dialled })
  }
  if (!untrusted.has(code))
    return ['NET_TLS_FAILED', `TLS with ${remoteAddress} failed: ${message.trim()}.`, 'The logs of both nodes may say more.']
  const remedy = 'Give its root as ca (cacertfile), and let that node send the certificates between.'
  return ['NET_TLS_UNTRUSTED', `${certificate} is from no authority that this node trusts (${code}).`, remedy]
}

const untrusted = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const noVersion = (remoteAddress: string): Fault => [
  'NET_TLS_VERSION',
  `This node and ${remoteAddress} have no version of TLS in common.`,
  'Look at versions there, and at minVersion and maxVersion (versions) here.',
]

const noCipher = (remoteAddress: string): Fault => [
  'NET_TLS_CIPHERS',
  `This node and ${remoteAddress} have no cipher in common that fits their certificates.`,
  'Look at ciphers on both.',
]

function closed({ remoteAddress, dialled }: TlsPeer): Fault {
  const says = `${remoteAddress} closed the connection while TLS was set up, and gave no reason.`
  const more = dialled === null ? '' : ', or speaks no TLS'
  return ['NET_TLS_CLOSED', says, `It does not accept this node's certificate, or has gone${more}: its log may say which.`]
}
