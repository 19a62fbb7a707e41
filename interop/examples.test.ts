/** The documentation's examples that start real BEAM nodes; the others run in test/docs. */
import t from 'tap'
import { allSnippets, faultsOf, needsBeam } from '../test/docs/snippets.js'

const snippets = allSnippets().filter(needsBeam)
t.ok(snippets.length > 0)
for (const [{ file, line }, faults] of await faultsOf('interop', snippets)) t.strictSame(faults, [], `${file}:${line}`)
