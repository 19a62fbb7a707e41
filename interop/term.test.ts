/** Terms of every kind, printed and read by real nodes and by us. */
import fc from 'fast-check'
import t from 'tap'
import { equals, float, format, parse, type Term, type Tuple } from '../src/index.js'
import { termsWith } from '../test/term/arbitrary-term.js'
import { eachOtp } from './support/each-otp.js'

// erts prints `fun end:é/1` as `fun end:Ã©/1`, which it could not read: there we differ on purpose
const terms = termsWith(['lists', 'my fun', 'End'])

await eachOtp(t, async (t, { otp, start }) => {
  const beam = await start({ name: false, args: ['+pc', 'unicode'] })
  const sample = fc.sample(terms, 400)

  await t.test('what format prints is what io_lib:format("~0tp") prints', async t => {
    // the terms come back, so that the maps are in the order of that node
    const printed = await beam.eval('[{T, unicode:characters_to_binary(io_lib:format("~0tp", [T]))} || T <- Ts].', {
      bindings: { Ts: sample },
      floats: 'exact',
    })
    const differences = (printed as Tuple<[Term, Buffer]>[]).flatMap(({ elements: [term, text] }) => {
      // maybe is a keyword, and so quoted, from OTP 27 on
      const theirs = otp < 27 ? text.toString().replaceAll(/\b(?<!')maybe(?!')\b(?!")/g, "'maybe'") : text.toString()
      return format(term) === theirs ? [] : [[format(term), theirs]]
    })
    t.strictSame(differences, [])
  })

  await t.test('what format prints, erl_parse reads as the same term', async t => {
    const wrong = await beam.eval(
      `[Text || {T, Text} <- lists:zip(Ts, Texts), {ok, Tokens, _} <- [erl_scan:string(unicode:characters_to_list([Text, "."]))],
                {ok, T} =/= erl_parse:parse_term(Tokens)].`,
      { bindings: { Ts: sample, Texts: sample.map(term => format(term)) } },
    )
    t.strictSame(wrong, [])
  })

  await t.test('what it prints in any of its ways, parse reads', async t => {
    for (const directive of ['~p', '~tp', '~w', '~tw', '~0p']) {
      const texts = await beam.eval('[unicode:characters_to_binary(io_lib:format(Format, [T])) || T <- Ts].', {
        bindings: { Ts: sample, Format: [...Buffer.from(directive)] },
      })
      const wrong = (texts as Buffer[]).filter((text, i) => !equals(parse(text.toString()), sample[i]))
      t.strictSame(wrong.map(String), [], directive)
    }
  })

  await t.test('floats print as float_to_list(Float, [short])', async t => {
    const floats = [
      ...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 2_000),
      ...fc.sample(fc.tuple(fc.integer(), fc.integer({ min: -30, max: 30 })), 2_000).map(([n, exponent]) => Number(`${n}e${exponent}`)),
    ]
    const printed = await beam.eval('[list_to_binary(float_to_list(F, [short])) || F <- Fs].', { bindings: { Fs: floats.map(float) } })
    const differences = (printed as Buffer[]).map(String).filter((text, i) => text !== format(float(floats[i]!)))
    t.strictSame(differences, [])
  })
})
