import { stderr } from 'node:process'
import { do_not_optimize as keep } from 'mitata'
import { Packr } from 'msgpackr'
import { decode, encode } from '../src/etf/index.js'
import { type CodecTerm, codecTerms } from './codec-terms.js'
import { type Figure, onBeam } from './figure.js'
import { type Contender, perSecond, type Row } from './harness.js'

const erlang = String.raw`
-module(codec).
-export([keep/2, encode/2, decode/2]).

keep(Name, Bytes) ->
    persistent_term:put({bytes, Name}, Bytes),
    persistent_term:put({term, Name}, binary_to_term(Bytes)).

%% The last result is returned, or the compiler leaves the work out.
encode(Name, N) ->
    Term = persistent_term:get({term, Name}),
    timed(fun() -> encode_loop(Term, N, []) end).

decode(Name, N) ->
    Bytes = persistent_term:get({bytes, Name}),
    timed(fun() -> decode_loop(Bytes, N, []) end).

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Last = Work(),
    Time = erlang:monotonic_time(nanosecond) - Start,
    true = Last =/= [],
    Time.

encode_loop(_, 0, Last) -> Last;
encode_loop(Term, N, _) -> encode_loop(Term, N - 1, term_to_binary(Term)).

decode_loop(_, 0, Last) -> Last;
decode_loop(Bytes, N, _) -> decode_loop(Bytes, N - 1, binary_to_term(Bytes)).
`

/** An addon, which was built for one version of Node.js: null with another */
async function erlpackHere() {
  try {
    return (await import('erlpack')).default
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_DLOPEN_FAILED') throw error
    stderr.write('erlpack was built for another Node.js: the codec goes without it.\n')
    return null
  }
}

/** Records would be quicker for msgpackr, and are known to msgpackr alone: this is plain MessagePack. */
const msgpackr = new Packr({ useRecords: false })

interface Codec {
  readonly name: string
  encode(): Uint8Array | string
  decode(): unknown
}

/** `make` gives a codec over one term; what it decodes, it encoded itself. */
function codec<B extends Uint8Array | string>(name: string, pack: () => B, unpack: (bytes: B) => unknown): Codec {
  const bytes = pack()
  return { name, encode: pack, decode: () => unpack(bytes) }
}

function peersOf({ plain, erlpack: erlpackable, json }: CodecTerm, erlpack: Awaited<ReturnType<typeof erlpackHere>>): Codec[] {
  return [
    ...(erlpack && erlpackable ? [codec('erlpack', () => erlpack.pack(plain), erlpack.unpack)] : []),
    codec('msgpackr', () => msgpackr.pack(plain), bytes => msgpackr.unpack(bytes)), // prettier-ignore
    ...(json ? [codec('JSON', () => JSON.stringify(plain), JSON.parse)] : []),
  ]
}

const contender = (name: string, once: () => unknown): Contender => ({
  name,
  run(n) {
    const start = performance.now()
    for (let i = 0; i < n; i++) keep(once())
    return perSecond(n, performance.now() - start)
  },
})

export const codecFigure: Figure = {
  name: 'codec',
  about: 'terms to bytes and back, beside other codecs on the like value',

  async rows(stage) {
    const [beam, erlpack] = [await stage.beam(erlang), await erlpackHere()]
    const rows: Row[] = []
    for (const sample of codecTerms) {
      const ours = codec('Beamlet', () => encode(sample.term), bytes => decode(bytes)) // prettier-ignore
      const peers = peersOf(sample, erlpack)
      await beam.eval('codec:keep(Name, Bytes).', { bindings: { Name: sample.name, Bytes: encode(sample.term) } })
      for (const way of ['encode', 'decode'] as const) {
        rows.push({
          name: `${way} ${sample.name}`,
          unit: 'terms/s',
          better: 'more',
          ours: contender('Beamlet', () => ours[way]()),
          peers: [
            onBeam(beam, `codec:${way}(Name, N).`, { Name: sample.name }),
            ...peers.map(peer => contender(peer.name, () => peer[way]())),
          ],
        })
      }
    }
    return rows
  },
}
