/** What TLS agreed on, and whose certificate the other side has shown: for people. */
import type { TLSSocket } from 'node:tls'

export interface TlsFact {
  readonly of: 'tls'
  /** TLSv1.3 … */
  readonly protocol: string
  readonly cipher: string
  /** `CN=…`, null for none */
  readonly subject: string | null
  readonly issuer: string | null
  /** The hosts that it is for, as subjectAltName has them */
  readonly hosts: string | null
  readonly validTo: Date | null
  /** It is from an authority that this node trusts, and for the host. False where nobody asked (verify_none). */
  readonly authorized: boolean
}

export function tlsFact(socket: TLSSocket): TlsFact {
  const { subject, issuer, subjectaltname, valid_to } = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>>
  return {
    of: 'tls',
    protocol: socket.getProtocol() ?? 'TLS',
    cipher: socket.getCipher().standardName,
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    hosts: subjectaltname ?? null,
    validTo: valid_to === undefined ? null : new Date(valid_to),
    authorized: socket.authorized,
  }
}

/** A distinguished name as text; an attribute may come several times. */
const nameOf = (name: object | undefined): string | null =>
  name === undefined
    ? null
    : Object.entries(name)
        .flatMap(([key, values]) => [values].flat().map(value => `${key}=${String(value)}`))
        .join(', ')
