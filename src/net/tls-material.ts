/** Certificates, keys and authorities as they are given, checked so that what is wrong with them is told when the node starts. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { type Pem, TlsError, type TlsServer } from './tls-options.js'

type Side = 'server' | 'client'

/** What `node:tls` is given for one side. @throws TlsError: see there. */
export async function material(side: TlsServer, name: Side): Promise<SecureContextOptions> {
  const { verify = true, passphrase, minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3', ciphers } = side
  const cert = await read(side.cert, name, 'cert', 'CERTIFICATE')
  const key = await read(side.key ?? side.cert, name, 'key', 'PRIVATE KEY')
  const ca = await read(side.ca, name, 'ca', 'CERTIFICATE')
  const dhparam = await read(side.dhparam, name, 'dhparam', 'DH PARAMETERS')
  if (name === 'server' && cert === undefined)
    throw new TlsError(
      'TLS_MISSING',
      'Nodes that dial this one are to see a certificate: give tls.server a cert and a key (certfile, keyfile).',
    )
  if (verify && ca === undefined) {
    const remedy = `give tls.${name} a ca (cacertfile), or say verify: false ({verify, verify_none}) to trust whoever comes`
    throw new TlsError('TLS_MISSING', `The certificate of each peer is to be checked, and no authority is trusted: ${remedy}.`)
  }
  if (cert !== undefined && key !== undefined) checkPair(cert, key, passphrase, name)
  if (ca !== undefined) for (const block of certificates(ca)) certificate(block, `tls.${name}.ca`)
  const options: SecureContextOptions = { cert, key, passphrase, ca: ca && certificates(ca), minVersion, maxVersion, ciphers, dhparam }
  try {
    createSecureContext(options)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    if (code === 'ERR_SSL_NO_CIPHER_MATCH') throw noCipher(ciphers, cause)
    throw new TlsError('TLS_OPTION', `OpenSSL does not take what tls.${name} says: ${message}.`, { cause })
  }
  return options
}

const noCipher = (ciphers: string | undefined, cause: unknown): TlsError =>
  new TlsError('TLS_CIPHERS', `There is no such cipher among '${ciphers}': give OpenSSL's names, as tls.getCiphers() tells them.`, {
    cause,
  })

/** A PEM text with at least one block of that kind, from where it is. */
async function read(pem: Pem | undefined, side: Side, option: string, kind: string): Promise<string | undefined> {
  if (pem === undefined) return undefined
  const given = String(pem)
  const isText = given.includes('-----BEGIN ')
  const where = isText ? `tls.${side}.${option}` : given
  const text = isText ? given : await readPem(given, `tls.${side}.${option}`)
  if (new RegExp(`-----BEGIN [A-Z0-9 ]*${kind}-----`).test(text)) return text
  if (option === 'key' && /BEGIN [A-Z ]*CERTIFICATE/.test(text))
    throw new TlsError('TLS_MISSING', `${where} holds a certificate and no key: give tls.${side} a key (keyfile).`)
  throw new TlsError('TLS_PEM', `${where} holds no ${kind.toLowerCase()} in PEM: look whether it is another file, or DER.`)
}

async function readPem(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const remedy = 'give the path of a file that this process may read, or a PEM text'
    throw new TlsError('TLS_FILE', `${option}, '${path.slice(0, 200)}', cannot be read (${code}): ${remedy}.`, { cause })
  }
}

/** The blocks, each for itself: OpenSSL takes no notice of what is wrong behind the first. */
const certificates = (pem: string): string[] => pem.match(/-----BEGIN ([A-Z ]*CERTIFICATE)-----[^]*?-----END \1-----/g) ?? []

function certificate(block: string, where: string): X509Certificate {
  try {
    return new X509Certificate(block)
  } catch (cause) {
    throw new TlsError('TLS_PEM', `A certificate in ${where} is damaged: get the file again.`, { cause })
  }
}

function checkPair(cert: string, key: string, passphrase: string | undefined, side: Side): void {
  const [own] = certificates(cert).map(block => certificate(block, `tls.${side}.cert`))
  if (own?.checkPrivateKey(privateKey(key, passphrase, side)) !== false) return
  throw new TlsError(
    'TLS_KEY_MISMATCH',
    `The key of tls.${side} is not that of its certificate: the node's own certificate stands first in cert.`,
  )
}

function privateKey(key: string, passphrase: string | undefined, side: Side): KeyObject {
  try {
    return createPrivateKey({ key, passphrase })
  } catch (cause) {
    if (!key.includes('ENCRYPTED')) throw new TlsError('TLS_PEM', `The key of tls.${side} is damaged: get the file again.`, { cause })
    const sentence = passphrase === undefined ? 'is encrypted: give its passphrase (password)' : 'does not open with that passphrase'
    throw new TlsError('TLS_PASSPHRASE', `The key of tls.${side} ${sentence}.`, { cause })
  }
}
