/** A process that starts a BEAM node, tells its name, and never stops it: for the test that kills this process. */
import { argv } from 'node:process'
import { startBeam } from '../../src/interop/index.js'

const [otp, cookie] = argv.slice(2)
const beam = await startBeam({ otp: Number(otp), cookie })
process.send?.(beam.name)
