/** Asks OTP what io_lib:format/2 prints and writes spec/vectors/io-lib-format.json. `make vectors` runs this. */
import { readFile, writeFile } from 'node:fs/promises'
import { startBeam } from '../../src/interop/index.js'
import { text } from '../../src/index.js'

const code = await readFile(new URL('io_lib_vectors.erl', import.meta.url), 'utf8')
const beam = await startBeam({ otp: 25, name: false, code })
await writeFile(new URL('../../spec/vectors/io-lib-format.json', import.meta.url), text(await beam.eval('io_lib_vectors:json().')))
await beam.stop()
