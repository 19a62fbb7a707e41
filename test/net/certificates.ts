/** Certificates for tests, made when they are needed: an authority, and what it issues. X.509 version 3 (RFC 5280), ECDSA on P-256 or RSA. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface Certificate {
  /** PEM */
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** Names and addresses that it is for; none: 127.0.0.1 */
  readonly hosts?: readonly string[] | undefined
  readonly notBefore?: Date | undefined
  readonly notAfter?: Date | undefined
  /** 'server' or 'client' alone, by extendedKeyUsage; without it, for both */
  readonly purpose?: 'server' | 'client' | undefined
  /** Encrypts the key */
  readonly passphrase?: string | undefined
  readonly rsa?: boolean | undefined
}

/** Issues certificates; `cert` is its own. */
export class Authority {
  readonly cert: string
  readonly #name: Buffer
  readonly #keys = keyPair()
  /** The certificates between this authority and the root that others trust, in PEM */
  readonly #chain: string

  constructor(commonName = 'Beamlet test authority', issuer?: Authority) {
    this.#name = nameOf(commonName)
    const { publicKey } = this.#keys
    const tbs = { publicKey, subject: this.#name, extensions: [authority], ...lasting({}) }
    this.cert = (issuer ?? this).#issue(tbs)
    this.#chain = issuer ? this.cert + issuer.#chain : ''
  }

  issue(options: CertificateOptions = {}): Certificate {
    const { hosts = ['127.0.0.1'], purpose, passphrase, rsa } = options
    const { publicKey, privateKey } = keyPair(rsa)
    const extensions = [extension('551d13', sequence()), alternativeNames(hosts), ...(purpose ? [usage(purpose)] : [])]
    const cert = this.#issue({ publicKey, subject: nameOf(hosts[0] ?? 'nobody'), extensions, ...lasting(options) })
    const locked = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
    return { cert: cert + this.#chain, key: String(privateKey.export({ type: 'pkcs8', format: 'pem', ...locked })) }
  }

  #issue({ publicKey, subject, extensions, notBefore, notAfter }: Tbs): string {
    const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
    const tbs = sequence(
      der(0xa0, integer(2)),
      der(0x02, Buffer.from([1]), randomBytes(8)),
      ecdsaWithSha256,
      this.#name,
      sequence(time(notBefore), time(notAfter)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    )
    const signature = sign('sha256', tbs, this.#keys.privateKey)
    const bytes = sequence(tbs, ecdsaWithSha256, bitString(signature)).toString('base64')
    return `-----BEGIN CERTIFICATE-----\n${bytes.replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
  }
}

interface Tbs {
  readonly publicKey: KeyObject
  readonly subject: Buffer
  readonly extensions: readonly Buffer[]
  readonly notBefore: Date
  readonly notAfter: Date
}

const day = 24 * 3600 * 1000

const lasting = ({ notBefore, notAfter }: CertificateOptions): Pick<Tbs, 'notBefore' | 'notAfter'> => ({
  notBefore: notBefore ?? new Date(Date.now() - day),
  notAfter: notAfter ?? new Date(Date.now() + day),
})

const keyPair = (rsa = false): { publicKey: KeyObject; privateKey: KeyObject } =>
  rsa ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })

// ── DER ──────────────────────────────────────────────────────────────────────

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]))
const bitString = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

/** GeneralizedTime would not do before 2050: RFC 5280, 4.1.2.5. */
const time = (at: Date): Buffer => der(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`))

/** A name of one part: the common name. */
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))))

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([255]))] : []), der(0x04, value))

/** basicConstraints */
const authority = extension('551d13', sequence(der(0x01, Buffer.from([255]))), true)

/** subjectAltName: dNSName is 2, iPAddress 7. An address is given as both, for OTP 25 compares it with names only. */
const alternativeNames = (hosts: readonly string[]): Buffer =>
  extension(
    '551d11',
    sequence(
      ...hosts.map(host => der(0x82, Buffer.from(host))),
      ...hosts.filter(host => isIP(host) === 4).map(host => der(0x87, Buffer.from(host.split('.').map(Number)))),
    ),
  )

/** extendedKeyUsage */
const usage = (purpose: 'server' | 'client'): Buffer =>
  extension('551d25', sequence(oid(purpose === 'server' ? '2b06010505070301' : '2b06010505070302')))

// ── files ────────────────────────────────────────────────────────────────────

export interface Folder {
  readonly path: string
  /** Writes a file and gives its path. */
  write(name: string, text: string): string
}

/** A folder that real nodes can read, too: their trees share /tmp with this machine. It goes when the test ends. */
export function folder(t: Test): Folder {
  const path = mkdtempSync('/tmp/beamlet-tls-')
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    write(name, text) {
      const file = join(path, name)
      writeFileSync(file, text)
      return file
    },
  }
}
