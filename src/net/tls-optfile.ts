/**
 * The file that a BEAM gets as `-ssl_dist_optfile`: one Erlang expression, `[{server, [Option]}, {client, [Option]}].`, with the options of ssl(3).
 * Here it is a term: nothing in it is evaluated. What is read becomes TlsSides; an option that would be lost is refused by its name.
 *
 * Where OTP's releases differ, the safe one is followed: a client checks the server's certificate (26 on, 25 does not), and a server that checks
 * wants to see one (26 on, 25 takes those without). Source: ssl_dist_sup.erl, inet_tls_dist.erl, ssl.erl.
 */
import { readFile } from 'node:fs/promises'
import { getCiphers } from 'node:tls'
import { Atom, format, parse, type Term, text, Tuple } from '../term/index.js'
import { TlsError, type TlsClient, type TlsServer, type TlsSides } from './tls-options.js'

type Side = keyof TlsSides
type Said = Partial<TlsServer & TlsClient>

/** What an option means, or null when its value is none of its own. */
type Reader = (value: Term) => Said | null

const readers: Readonly<Record<string, Reader>> = {
  certfile: value => string(value, cert => ({ cert })),
  keyfile: value => string(value, key => ({ key })),
  cacertfile: value => string(value, ca => ({ ca })),
  dhfile: value => string(value, dhparam => ({ dhparam })),
  password: value => string(value, passphrase => ({ passphrase })),
  verify: value => choice(value, { verify_peer: { verify: true }, verify_none: { verify: false } }),
  fail_if_no_peer_cert: value => (typeof value === 'boolean' ? { requireCert: value } : null),
  depth: value => (typeof value === 'number' && value >= 0 && value <= 255 ? { depth: value } : null),
  versions,
  ciphers,
  server_name_indication: value =>
    value instanceof Atom ? choice(value, { disable: { serverName: false } }) : string(value, serverName => ({ serverName })),
  protocol: value => choice(value, { tls: {} }),
  crl_check: value => (value === false ? {} : null),
}

/** Options of one side alone */
const sideOf: Readonly<Record<string, Side>> = { fail_if_no_peer_cert: 'server', dhfile: 'server', server_name_indication: 'client' }

/**
 * What can be left out without harm: how a BEAM does its work, how fast, and what it tells; sessions, which Beamlet does not resume; what OpenSSL always
 * does (secure renegotiation, a bound on renegotiations) or never (TLS 1.1 and before).
 */
const harmless = new Set([
  ...[
    'hibernate_after',
    'log_level',
    'keep_secrets',
    'ktls',
    'receiver_spawn_opts',
    'sender_spawn_opts',
    'max_handshake_size',
    'max_fragment_length',
  ],
  ...['reuse_sessions', 'reuse_session', 'session_tickets', 'use_ticket', 'anti_replay', 'stateless_tickets_seed'],
  ...['secure_renegotiate', 'client_renegotiation', 'renegotiate_at', 'key_update_at'],
  ...[
    'beast_mitigation',
    'padding_check',
    'fallback',
    'middlebox_comp_mode',
    'certificate_authorities',
    'honor_cipher_order',
    'honor_ecc_order',
  ],
  ...[
    'nodelay',
    'keepalive',
    'buffer',
    'sndbuf',
    'recbuf',
    'high_watermark',
    'low_watermark',
    'delay_send',
    'send_timeout',
    'send_timeout_close',
    'priority',
    'tos',
  ],
])

/** @throws TlsError TLS_OPTFILE, TLS_OPTION, TLS_CIPHERS */
export async function readOptfile(path: string): Promise<TlsSides> {
  const sides: Partial<Record<Side, Said>> = {}
  for (const [name, options] of pairs(await termIn(path), path, 'the file')) {
    if ((name !== 'server' && name !== 'client') || sides[name])
      throw new TlsError(
        'TLS_OPTFILE',
        `${path} holds '${name}' ${sides[name as Side] ? 'twice' : ''}: it is to be [{server, […]}, {client, […]}].`,
      )
    sides[name] = sideIn(pairs(options, path, name), path, name)
  }
  // Without a word of it a server of OTP asks for no certificate, in all releases.
  const { server = {}, client = {} } = sides
  return { server: { verify: false, ...server }, client }
}

function sideIn(options: Iterable<readonly [name: string, value: Term]>, path: string, side: Side): Said {
  const seen = new Set<string>()
  let said: Said = {}
  for (const [name, value] of options) {
    const at = `${name} in the ${side} part of ${path}`
    if (seen.has(name)) throw new TlsError('TLS_OPTION', `The option ${at} stands there twice: leave one.`)
    seen.add(name)
    if (harmless.has(name)) continue
    const reader = readers[name]
    if (!reader || (sideOf[name] ?? side) !== side) {
      const why = reader ? `belongs to the ${sideOf[name]}` : 'means something that Beamlet cannot do'
      throw new TlsError('TLS_OPTION', `The option ${at} ${why}: take it out, or give this node a file of its own.`)
    }
    const read = reader(value)
    if (!read) throw new TlsError('TLS_OPTION', `The option ${at} has a value that Beamlet cannot honour: ${format(value)}.`)
    said = { ...said, ...read }
  }
  if (said.requireCert === true && said.verify !== true)
    throw new TlsError('TLS_OPTION', `fail_if_no_peer_cert in ${path} is nothing without {verify, verify_peer}: give both.`)
  return said
}

async function termIn(path: string): Promise<Term> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new TlsError('TLS_OPTFILE', `${path} cannot be read (${code}): give the path of an ssl_dist_optfile.`, { cause })
  }
  // As epp does: Latin-1, unless a comment in the first two lines says otherwise.
  const head = bytes.toString('latin1').split('\n', 2).join('\n')
  const source = bytes.toString(/%.*coding[:=]\s*utf-8/i.test(head) ? 'utf8' : 'latin1')
  try {
    return parse(source)
  } catch (cause) {
    const why = (cause as Error).message.replace(/ \[\w+\]$/, '')
    throw new TlsError('TLS_OPTFILE', `${path} is no Erlang term; what it computes (calls, funs, ++) Beamlet does not. ${why}`, { cause })
  }
}

/** A list of `{Name, Value}`; `Name` alone is `{Name, true}`, as in proplists. */
function* pairs(list: Term, path: string, where: string): Iterable<readonly [name: string, value: Term]> {
  if (!Array.isArray(list))
    throw new TlsError('TLS_OPTFILE', `In ${path}, ${where} holds no list of options: it is to be [{server, […]}, {client, […]}].`)
  for (const element of list as readonly Term[]) {
    if (element instanceof Atom) yield [element.name, true]
    else if (element instanceof Tuple && element.length === 2 && element.tag !== undefined) yield [element.tag, element.elements[1] as Term]
    else throw new TlsError('TLS_OPTFILE', `In ${path}, ${where} holds what is no option: ${format(element)}.`)
  }
}

function string(value: Term, said: (text: string) => Said): Said | null {
  const isString = Buffer.isBuffer(value) || (Array.isArray(value) && value.length > 0)
  return isString ? said(text(value)) : null
}

const choice = (value: Term, choices: Readonly<Record<string, Said>>): Said | null => (value instanceof Atom && choices[value.name]) || null

/** Those before 1.2 are left out beside one that is spoken. */
function versions(value: Term): Said | null {
  if (!Array.isArray(value)) return null
  const names = value.map(version => (version instanceof Atom ? version.name : ''))
  if (!names.every(name => /^tlsv1(\.[123])?$/.test(name))) return null
  const [old, recent] = [names.includes('tlsv1.2'), names.includes('tlsv1.3')]
  if (!old && !recent) return null
  return { minVersion: old ? 'TLSv1.2' : 'TLSv1.3', maxVersion: recent ? 'TLSv1.3' : 'TLSv1.2' }
}

/** A list of names, or one string with colons; OpenSSL's names or the IANA's. */
function ciphers(value: Term): Said | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const isText = value.every(code => typeof code === 'number')
  const names = isText ? text(value).split(':') : value.map(name => (Array.isArray(name) || Buffer.isBuffer(name) ? text(name) : null))
  const known = new Set(getCiphers())
  const found = names.map(name => (name === null ? null : openSslName(name))).filter(name => name !== null)
  const missing = names.find(name => name === null || !known.has(openSslName(name).toLowerCase()))
  if (missing === null) return null
  if (missing !== undefined)
    throw new TlsError('TLS_CIPHERS', `There is no cipher '${missing}' in OpenSSL: take it out, or give the name that OpenSSL has for it.`)
  return { ciphers: found.join(':') }
}

/** TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 is ECDHE-RSA-AES256-GCM-SHA384; those of TLS 1.3 have one name. */
function openSslName(name: string): string {
  const [, exchange, cipher] = /^TLS_(.+)_WITH_(.+)$/.exec(name) ?? []
  if (exchange === undefined || cipher === undefined) return name
  const short = cipher
    .replace(/AES_(\d+)/, 'AES$1')
    .replace('_CBC', '')
    .replace(/(CHACHA20_POLY1305)_SHA256/, '$1')
  return `${exchange === 'RSA' ? '' : `${exchange}-`}${short}`.replaceAll('_', '-')
}
