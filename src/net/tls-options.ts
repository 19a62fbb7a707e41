/** What a node can be told about TLS: `Node.start({ tls: … })`. */
import { NodeError } from '../term/index.js'

/**
 * TLS that cannot be set up with what was given, told when the node starts. TLS_OPTFILE: it cannot be read or is no optfile. TLS_OPTION: an option
 * is unknown, wrong, or cannot be honoured. TLS_MISSING: a certificate, key or authority is needed. TLS_FILE: a file cannot be read. TLS_PEM: it is
 * no PEM. TLS_PASSPHRASE: the key is encrypted. TLS_KEY_MISMATCH: it is another certificate's key. TLS_CIPHERS: no such cipher.
 */
export class TlsError extends NodeError {}

/** A PEM text, or the path of a PEM file. */
export type Pem = string | Buffer

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** What each side of a connection can be told; all of it may be given for both at once. */
export interface TlsSide {
  /** The certificate of this node; those between it and the authority follow in the same text. */
  readonly cert?: Pem | undefined
  /** Its key. Default: the one beside the certificate, in the same text */
  readonly key?: Pem | undefined
  /** Of the key, where that is encrypted */
  readonly passphrase?: string | undefined
  /** The authorities that are trusted. No other is: not those of the machine or of Node.js either. */
  readonly ca?: Pem | undefined
  /** Check the peer's certificate. Default: true */
  readonly verify?: boolean | undefined
  /** The most certificates between the peer's and a trusted one. Default: 10, as OTP's */
  readonly depth?: number | undefined
  /** Default: 'TLSv1.2' */
  readonly minVersion?: TlsVersion | undefined
  /** Default: 'TLSv1.3' */
  readonly maxVersion?: TlsVersion | undefined
  /** By OpenSSL's names, with colons between: 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384'. Default: those of Node.js */
  readonly ciphers?: string | undefined
}

/** For nodes that dial this one */
export interface TlsServer extends TlsSide {
  /** Refuse a peer that shows no certificate. Default: as `verify` */
  readonly requireCert?: boolean | undefined
  /** Parameters for DHE ciphers, a PEM text or file. Default: none, and with that no DHE */
  readonly dhparam?: Pem | undefined
}

/** For nodes that this one dials */
export interface TlsClient extends TlsSide {
  /** The name that certificates must be for. Default: the host in the name of the node that is dialled. false: any, and no name is told to it */
  readonly serverName?: string | false | undefined
}

/**
 * TLS for all connections of a node, as `-proto_dist inet_tls` is for a BEAM. Three ways to say it:
 *
 *     { cert, key, ca }                  both sides; each checks the other's certificate
 *     { cert, key, server: …, client: … }   what differs by side; it goes before what is said for both
 *     { optfile: '/etc/ssl_dist.conf' }  the file that a BEAM gets as -ssl_dist_optfile
 */
export interface TlsOptions extends TlsSide {
  readonly server?: TlsServer | undefined
  readonly client?: TlsClient | undefined
  /** Stands alone: it says everything. */
  readonly optfile?: string | undefined
}

/** Both sides, each with what was said for both. */
export interface TlsSides {
  readonly server: TlsServer
  readonly client: TlsClient
}
